import type { DoctorCheck, DoctorReport } from '@ledge/contract';
import type { Check, Finding } from './check.ts';
import { CHECKS } from './checks/index.ts';
import { Facts } from './facts.ts';
import { type DoctorPorts, Unseen } from './ports.ts';

/** A board under load, and programs that are asked two at a time. */
const WITHIN_MS = 60_000;
/** Why a check of the card image is skipped elsewhere. */
export const IMAGE_ONLY = 'only the card image has this';

export interface ExamineOptions {
  checks?: readonly Check[];
  /** What whoever asks knows of the machine already. */
  facts?: Facts;
  /** What has not answered by then is skipped. */
  withinMs?: number;
}

/**
 * Looks at everything that a healthy box has. Never throws: what cannot be seen is `skipped` with the reason.
 * @param ports the machine; end its programs when this has answered
 */
export async function examine(
  ports: DoctorPorts,
  { checks = CHECKS, facts = new Facts(ports), withinMs = WITHIN_MS }: ExamineOptions = {},
): Promise<DoctorReport> {
  const onImage = await facts.isImage().catch(() => false);
  const done = await Promise.all(checks.map((check) => oneCheck(check, facts, onImage, withinMs)));
  const release = await facts.release().catch(() => undefined);
  return {
    state: worst(done),
    time: new Date(ports.now()).toISOString(),
    version: release?.version ?? ports.version,
    checks: done,
  };
}

async function oneCheck(check: Check, facts: Facts, onImage: boolean, withinMs: number): Promise<DoctorCheck> {
  const { name, title, imageOnly } = check;
  if (imageOnly && !onImage) return { name, title, state: 'skipped', seen: IMAGE_ONLY };
  return { name, title, ...(await look(check, facts, withinMs)) };
}

async function look(check: Check, facts: Facts, withinMs: number): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve({ state: 'skipped', seen: `it took longer than ${withinMs / 1000} s` }), withinMs);
  });
  try {
    return await Promise.race([(async () => await check.look(facts))(), late]);
  } catch (error) {
    if (error instanceof Unseen) return { state: 'skipped', seen: error.message };
    return { state: 'skipped', seen: `the check itself failed: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    clearTimeout(timer);
  }
}

function worst(checks: readonly DoctorCheck[]): DoctorReport['state'] {
  if (checks.some(({ state }) => state === 'fault')) return 'fault';
  return checks.some(({ state }) => state === 'warning') ? 'warning' : 'ok';
}
