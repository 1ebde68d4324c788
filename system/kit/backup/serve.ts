import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Problem, partApi, shown } from '@ledge/contract';
import type { Api } from '../api.ts';
import type { Logger } from '../ports.ts';
import { hasJournal, RestoreArea } from './journal.ts';
import { itemsOf, type PartFacts, type Precious } from './precious.ts';

export interface PartPorts {
  service: string;
  version: string;
  root: string;
  edge: string;
  precious: Precious | undefined;
  facts(): PartFacts | undefined;
  checkSettings(file: string): void;
  log: Logger;
}

const areaOf = (service: string, root: string, precious: Precious | undefined) =>
  new RestoreArea(service, root, itemsOf(service, precious));

/** What every service answers about its part of a backup. The code that reads and writes it is only loaded when it is asked for. */
export function servePart(api: Api, { service, version, root, edge, precious, facts, checkSettings, log }: PartPorts): void {
  const area = areaOf(service, root, precious);
  let busy = false;
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    if (busy) throw new Problem('backup-busy', `${service} is at work on another backup.`);
    busy = true;
    try {
      return await work();
    } finally {
      busy = false;
    }
  };

  api.handle(partApi.take, ({ query, response, signal }) =>
    alone(async () => {
      const { takePart } = await import('./take.ts');
      const part = takePart({ service, version, root, precious, facts: facts(), history: query.history === 'true' });
      response.type(partApi.take.streams);
      await pipeline(Readable.from(part, { objectMode: false }), response, { signal }).catch((error: unknown) => {
        if (!response.writableFinished) throw error; // the request's end, which comes right after the answer's
      });
    }),
  );
  api.handle(partApi.put, ({ query, request, signal }) =>
    alone(async () => {
      if (!request.is([...partApi.put.upload]))
        throw new Problem(
          'unsupported-media-type',
          `content-type is ${shown(request.headers['content-type'])}; application/x-tar is wanted`,
        );
      const { preparePart } = await import('./prepare.ts');
      const items = itemsOf(service, precious);
      const { id, from } = query;
      const options = { service, root, items, precious, area, id, fromEdge: from, toEdge: edge, checkSettings, signal };
      const prepared = await preparePart(request, options);
      log.info({ restore: id, ...prepared }, 'a part of a backup lies beside, checked');
      return prepared;
    }),
  );
  api.handle(partApi.commit, ({ query }) => {
    if (!area.commit(query.id)) throw new Problem('not-found', `Nothing of the restore ${query.id} lies here.`);
    log.info({ restore: query.id }, 'a part of a backup is taken over at the next start');
  });
  api.handle(partApi.drop, () =>
    alone(async () => {
      if (!area.drop()) throw new Problem('backup-busy', `${service} takes over at its next start what was decided.`);
    }),
  );
  api.handle(partApi.state, () => {
    const journal = hasJournal(service, root) ? area.journal() : undefined;
    if (!journal || journal.state === 'swapped') return { state: 'none' as const };
    return { state: journal.state === 'prepared' ? ('prepared' as const) : ('committed' as const), id: journal.id };
  });
}

/** Before anything of the service runs: what a restore decided takes its place. @returns to be called when the service runs with it */
export function takeOver(service: string, root: string, precious: Precious | undefined, log: Logger): () => void {
  if (!existsSync(root) || !hasJournal(service, root)) return () => {};
  const area = areaOf(service, root, precious);
  const id = area.apply();
  if (id === undefined) return () => {};
  log.info({ restore: id }, 'what a restore decided is in place');
  return () => {
    try {
      area.finish();
    } catch (error) {
      log.warn({ err: error }, 'what was there before the restore could not be removed; it is tried again at the next start');
    }
  };
}
