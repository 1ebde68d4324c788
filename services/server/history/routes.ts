import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Problem, serverApi } from '@ledge/contract';
import type { Api, Clock } from '@ledge/kit';
import type { Recorder } from '../recorder/index.ts';
import { csvOf } from './csv.ts';

const DAY_MS = 24 * 60 * 60_000;

/** History: HTTP only. */
export function serveHistory(api: Api, recorder: Recorder, clock: Clock): void {
  api.handle(serverApi.history, ({ params, query }) => {
    const { points, limit } = query;
    return recorder.query({ ...params, ...spanOf(query, clock.now()), limit, ...(points === undefined ? {} : { points }) });
  });

  api.handle(serverApi.historyCsv, async ({ params, query, response, signal }) => {
    const found = recorder.export({ ...params, ...spanOf(query, clock.now()) });
    const name = `${params.thing}-${params.node}-${params.property}.csv`;
    response.setHeader('Content-Disposition', `attachment; filename="${name}"`);
    response.type('text/csv; charset=utf-8');
    await pipeline(Readable.from(csvOf(found)), response, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error; // else the reader left
    });
  });
}

/** The last day where nothing is said. */
function spanOf({ from, to }: { from?: string | undefined; to?: string | undefined }, nowMs: number): { fromMs: number; toMs: number } {
  const toMs = to === undefined ? nowMs : Date.parse(to);
  const fromMs = from === undefined ? toMs - DAY_MS : Date.parse(from);
  if (fromMs >= toMs) throw new Problem('invalid-value', `from is ${from}; a time before ${new Date(toMs).toISOString()} is wanted`);
  return { fromMs, toMs };
}
