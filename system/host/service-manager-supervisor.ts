import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { type LogLine, Problem } from '@ledge/contract';
import type { LogQuery, ManagedService, ServiceManager } from './service-manager.ts';

const ANSWER_WITHIN_MS = 3000;

/** Talks to our supervisor over its socket (`socketPath`: a Unix socket or a named pipe). */
export function supervisorServiceManager(socketPath: string): ServiceManager {
  async function ask(method: string, path: string, signal?: AbortSignal) {
    return await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      const call = request({ socketPath, method, path, ...(signal ? { signal } : { timeout: ANSWER_WITHIN_MS }) }, resolve);
      call.once('timeout', () => call.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)));
      call.once('error', (cause) => reject(new Problem('service-away', 'The supervisor does not answer.', { cause })));
      call.end();
    });
  }

  async function control(name: string, verb: string): Promise<void> {
    const answer = await ask('POST', `/services/${encodeURIComponent(name)}/${verb}`);
    answer.resume();
    if (answer.statusCode === 404) throw new Problem('not-found', `There is no service ${name} to ${verb}.`);
    if (answer.statusCode !== 200) throw new Problem('service-away', `The supervisor answered ${answer.statusCode} to ${verb} ${name}.`);
  }

  return {
    async list() {
      const answer = await ask('GET', '/services');
      return JSON.parse(await text(answer)) as ManagedService[];
    },
    start: (name) => control(name, 'start'),
    stop: (name) => control(name, 'stop'),
    restart: (name) => control(name, 'restart'),
    async *logs({ service, last, signal }: LogQuery) {
      const query = new URLSearchParams({ last: String(last), ...(service ? { service } : {}) });
      const answer = await ask('GET', `/logs?${query}`, signal);
      try {
        for await (const line of createInterface({ input: answer })) yield JSON.parse(line) as LogLine;
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        answer.destroy();
      }
    },
  };
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}
