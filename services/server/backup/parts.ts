import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type BackupWarning, type PartState, PROBLEMS, Problem, type ProblemCode, partStateSchema } from '@ledge/contract';
import { CALLER_HEADERS, type Target } from '@ledge/kit';
import { proofFor } from '../registry/address.ts';

const ANSWER_WITHIN_MS = 5_000;
/** A large database is copied before the first byte comes. */
const SILENT_AT_MOST_MS = 300_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Who asks, in the services' logs. */
const CALLER = 'backup';

interface Asked {
  service: string;
  method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  path: string;
  body?: Readable;
  silentMs?: number;
  signal?: AbortSignal | undefined;
}

/** The part of each service in a backup, asked of the service itself over its own socket. */
export class Parts {
  readonly #find: (service: string) => Target | undefined;
  readonly #secret: string;

  constructor(find: (service: string) => Target | undefined, secret: string) {
    this.#find = find;
    this.#secret = secret;
  }

  /** Undefined for a service that knows nothing of backups. @throws Problem `service-away` */
  async state(service: string): Promise<PartState | undefined> {
    try {
      return partStateSchema.parse(await this.#json({ service, method: 'GET', path: '/backup/part/state' }));
    } catch (error) {
      if (error instanceof Problem && (error.code === 'not-found' || error.code === 'method-not-allowed')) return undefined;
      throw error;
    }
  }

  take(service: string, history: boolean, signal: AbortSignal): Promise<Readable> {
    return this.#ask({ service, method: 'GET', path: `/backup/part?history=${history}`, silentMs: SILENT_AT_MOST_MS, signal });
  }

  async prepare(service: string, { id, from }: { id: string; from: string }, tar: Readable, signal: AbortSignal): Promise<BackupWarning[]> {
    const path = `/backup/part?${new URLSearchParams({ id, from })}`;
    const { warnings } = await this.#json({ service, method: 'PUT', path, body: tar, silentMs: SILENT_AT_MOST_MS, signal });
    return warnings as BackupWarning[];
  }

  async commit(service: string, id: string): Promise<void> {
    await this.#json({ service, method: 'POST', path: `/backup/part/commit?id=${id}` });
  }

  async drop(service: string): Promise<void> {
    await this.#json({ service, method: 'DELETE', path: '/backup/part' });
  }

  async #json(asked: Asked): Promise<Record<string, unknown>> {
    const text = await textOf(await this.#ask(asked));
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  async #ask({ service, method, path, body, silentMs = ANSWER_WITHIN_MS, signal }: Asked): Promise<IncomingMessage> {
    const target = this.#find(service);
    if (!target) throw new Problem('service-away', `${service} does not run at this moment.`);
    const where: RequestOptions = 'socketPath' in target ? { socketPath: target.socketPath } : { host: target.hostname, port: target.port };
    const headers = {
      ...proofFor(target, this.#secret),
      [CALLER_HEADERS.user]: CALLER,
      [CALLER_HEADERS.role]: 'admin',
      ...(body ? { 'content-type': 'application/x-tar' } : {}),
    };
    const call = request({ ...where, method, path, headers, agent: false, ...(signal ? { signal } : {}) });
    call.setTimeout(silentMs, () => call.destroy(new Error(`silent for ${silentMs} ms`)));
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      call.once('response', resolve);
      call.once('error', (cause) => reject(new Problem('service-away', `${service} does not answer.`, { cause })));
    });
    if (body) {
      // a service that refuses a part answers before it has read all of it; then the answer counts
      const sent = pipeline(body, call).catch(() => {});
      answered.catch(() => body.destroy());
      void sent;
    } else call.end();
    const answer = await answered;
    if (answer.statusCode === undefined || answer.statusCode >= 300) throw problemOf(service, answer.statusCode, await textOf(answer));
    return answer;
  }
}

function problemOf(service: string, status: number | undefined, text: string): Problem {
  try {
    const { code, detail } = JSON.parse(text) as { code: ProblemCode; detail?: string };
    if (code in PROBLEMS && code !== 'internal') return new Problem(code, detail ?? PROBLEMS[code][1]);
  } catch {
    // no problem document: not one of ours
  }
  if (status === 404) return new Problem('not-found', `${service} knows nothing of backups.`);
  return new Problem('service-away', `${service} answered ${status}.`);
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Problem('service-away', `An answer has more than ${MAX_ANSWER_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
