import { CALLER_HEADERS, type Clock, type Target } from '@ledge/kit';
import type { Registry } from 'prom-client';
import { ask, proofFor } from '../registry/address.ts';
import { mergeExpositions } from './exposition.ts';

/** Prometheus itself gives up after 10 s; one service that hangs must not cost the others theirs. */
const ANSWER_WITHIN_MS = 2_000;

export interface MetricsPorts {
  ownName: string;
  own: Registry;
  names(): string[];
  find(name: string): Target | undefined;
  clock: Clock;
  secret: string;
}

/** Metrics of all services in one text, with `ledge_service_up` for each. */
export async function collectMetrics({ ownName, own, names, find, clock, secret }: MetricsPorts): Promise<string> {
  const caller = { [CALLER_HEADERS.user]: ownName, [CALLER_HEADERS.role]: 'viewer' };
  const parts = new Map<string, string>([[ownName, await own.metrics()]]);
  const others = names().filter((name) => name !== ownName);
  await Promise.all(
    others.map(async (name) => {
      const target = find(name);
      if (!target) return;
      const headers = { ...caller, ...proofFor(target, secret) };
      const text = await ask(clock, { target, path: '/metrics', headers, withinMs: ANSWER_WITHIN_MS }).catch(() => undefined);
      parts.set(name, `${text ?? ''}\n${upGauge(text === undefined ? 0 : 1)}`);
    }),
  );
  parts.set(ownName, `${parts.get(ownName) ?? ''}\n${upGauge(1)}`);
  return mergeExpositions(parts, ownName);
}

const upGauge = (up: 0 | 1) =>
  `# HELP ledge_service_up Did the service answer with its metrics\n# TYPE ledge_service_up gauge\nledge_service_up ${up}\n`;
