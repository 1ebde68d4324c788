import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { Problem, shown } from '@ledge/contract';
import { CALLER_HEADERS, type Clock } from '@ledge/kit';

/** Where a service listens, as node:http and httpxy take it. */
export type Target = { socketPath: string; host: 'localhost' } | { hostname: string; host: string; port: number; protocol: 'http:' };

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Reads the `address` of a registry record. @returns undefined for one that is none of the three kinds */
export function parseAddress(address: string): Target | undefined {
  const socketPath = /^(?:unix|pipe):(.+)$/.exec(address)?.[1];
  if (socketPath) return { socketPath, host: 'localhost' };
  const [, bracketed, plain, port] = /^http:\/\/(?:\[([0-9a-fA-F:]+)\]|([\w.-]+)):(\d{1,5})\/?$/.exec(address) ?? [];
  const hostname = bracketed ?? plain;
  return hostname === undefined || Number(port) > 65_535 ? undefined : { hostname, host: hostname, port: Number(port), protocol: 'http:' };
}

/**
 * What proves to a service on a TCP port that the gateway speaks. Sockets are guarded by the rights of their file; who serves one
 * needs no secret that would open the ports of others.
 */
export const proofFor = (target: Target, secret: string): Record<string, string> =>
  'socketPath' in target ? {} : { [CALLER_HEADERS.secret]: secret };

export interface Asked {
  target: Target;
  path: string;
  headers?: Record<string, string>;
  withinMs: number;
}

/** GETs a small document from a service. @throws Problem `service-away` when it does not answer in time, or not with 200 */
export async function ask(clock: Clock, { target, path, headers = {}, withinMs }: Asked): Promise<string> {
  return await new Promise<string>((resolve, reject) => {
    const fail = (why: string, cause?: unknown) => {
      cancel();
      call.destroy();
      reject(new Problem('service-away', why, { cause }));
    };
    const options: RequestOptions =
      'socketPath' in target ? { socketPath: target.socketPath } : { host: target.hostname, port: target.port };
    const call: ClientRequest = request({ ...options, path, headers, agent: false }, (answer: IncomingMessage) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > MAX_ANSWER_BYTES) fail(`its answer to ${path} is larger than ${MAX_ANSWER_BYTES} bytes`);
        parts.push(part);
      });
      answer.once('error', (cause) => fail(`its answer to ${path} broke off`, cause));
      answer.once('end', () => {
        cancel();
        if (answer.statusCode === 200) resolve(Buffer.concat(parts).toString());
        else fail(`it answered ${shown(answer.statusCode)} to ${path}`);
      });
    });
    const cancel = clock.after(withinMs, () => fail(`it did not answer ${path} within ${withinMs} ms`));
    call.once('error', (cause: NodeJS.ErrnoException) => fail(`it cannot be reached (${cause.code ?? cause.message})`, cause));
    call.end();
  });
}
