import { request } from 'node:http';
import { createInterface } from 'node:readline';
import type { LogLine } from '@ledge/contract';
import type { ManagedService } from '@ledge/host';
import { CliError, EXIT } from '../error.ts';
import type { Services, World } from '../world.ts';

const ANSWER_WITHIN_MS = 3000;
const OLD_LINES_WITHIN_MS = 200;

/** Our supervisor, over the socket that only its own user reaches. */
export function supervisorServices({ data }: Pick<World, 'data'>): Services {
  const socketPath = data.socketPath('supervisor');

  async function ask(method: string, path: string, signal?: AbortSignal) {
    return await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      const call = request({ socketPath, method, path, ...(signal ? { signal } : { timeout: ANSWER_WITHIN_MS }) }, resolve);
      call.once('timeout', () => call.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)));
      call.once('error', () => reject(new CliError(EXIT.away, `Ledge does not run here: nobody answers at ${socketPath}.`)));
      call.end();
    });
  }

  return {
    async list() {
      const answer = await ask('GET', '/services');
      let text = '';
      for await (const part of answer.setEncoding('utf8')) text += part;
      return (JSON.parse(text) as ManagedService[]).map(({ name, state, restarts, memoryBytes, memoryLimitBytes, lastExit }) => ({
        name,
        state,
        restarts,
        ...(memoryBytes === undefined ? {} : { memoryBytes }),
        ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
        ...(state !== 'running' && lastExit ? { detail: lastExit } : {}),
      }));
    },

    async restart(name) {
      const answer = await ask('POST', `/services/${encodeURIComponent(name)}/restart`);
      answer.resume();
      if (answer.statusCode === 200) return;
      const known = (await this.list()).map((row) => row.name).join(', ');
      throw new CliError(EXIT.usage, `There is no service ${name}; there are ${known}.`);
    },

    async *logs({ service, last, follow, signal }) {
      const query = new URLSearchParams({ last: String(last), ...(service ? { service } : {}) });
      const enough = new AbortController();
      const answer = await ask('GET', `/logs?${query}`, AbortSignal.any([signal, enough.signal]));
      // the supervisor goes on with live lines for ever: the end of the old ones is a short silence
      let silence: NodeJS.Timeout | undefined;
      const wait = () => {
        clearTimeout(silence);
        if (!follow) silence = setTimeout(() => enough.abort(), OLD_LINES_WITHIN_MS);
      };
      wait();
      let given = 0;
      try {
        if (last === 0 && !follow) return;
        for await (const line of createInterface({ input: answer })) {
          yield JSON.parse(line) as LogLine;
          if (++given === last && !follow) return;
          wait();
        }
      } catch (error) {
        if (!signal.aborted && !enough.signal.aborted) throw error;
      } finally {
        clearTimeout(silence);
        answer.destroy();
      }
    },
  };
}
