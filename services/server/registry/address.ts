import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { Problem, shown } from '@ledge/contract';
import { CALLER_HEADERS, type Clock, type Target } from '@ledge/kit';

export type { Target };

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

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
