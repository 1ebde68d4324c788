import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import type { Target } from './address.ts';
import type { Clock } from './ports.ts';

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export interface Asked {
  target: Target;
  path: string;
  headers?: Record<string, string>;
  withinMs: number;
}

/**
 * GETs a small document from a service.
 * @throws Error that says why when it does not answer in time, or not with 200; with a `cause` when it cannot be reached
 */
export async function getText(clock: Clock, { target, path, headers = {}, withinMs }: Asked): Promise<string> {
  return await new Promise<string>((resolve, reject) => {
    const fail = (why: string, cause?: unknown) => {
      cancel();
      call.destroy();
      reject(new Error(why, { cause }));
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
        else fail(`it answered ${answer.statusCode} to ${path}`);
      });
    });
    const cancel = clock.after(withinMs, () => fail(`it did not answer ${path} within ${withinMs} ms`));
    call.once('error', (cause: NodeJS.ErrnoException) => fail(`it cannot be reached (${cause.code ?? cause.message})`, cause));
    call.end();
  });
}
