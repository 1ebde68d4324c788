import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Problem } from '@ledge/contract';
import { asProblem } from '@ledge/kit';

const TYPE = 'application/problem+json';

/** Answers with a problem document (RFC 9457), where there is no express around. */
export function sendProblem(response: ServerResponse, problem: Problem): void {
  if (problem.retryAfterS !== undefined) response.setHeader('Retry-After', String(Math.ceil(problem.retryAfterS)));
  const body = JSON.stringify(problem.toDocument());
  response.writeHead(problem.status, { 'Content-Type': TYPE, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

/** The same on a bare socket: after an upgrade was asked for, or a request that HTTP cannot read. The socket ends. */
export function endWithProblem(socket: Duplex, error: unknown): void {
  if (socket.destroyed || !socket.writable) return;
  const problem = asProblem(error);
  const body = JSON.stringify(problem.toDocument());
  const retry = problem.retryAfterS === undefined ? '' : `Retry-After: ${Math.ceil(problem.retryAfterS)}\r\n`;
  const head = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nConnection: close\r\nContent-Type: ${TYPE}\r\n`;
  socket.end(`${head}${retry}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
