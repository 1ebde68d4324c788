import { timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, unlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { type Audience, callerRoleSchema, type Operation, Problem, parse, shown } from '@ledge/contract';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import type { z } from 'zod';
import type { Api, Caller, Handled } from './api.ts';
import type { Logger } from './ports.ts';

export const CALLER_HEADERS = { user: 'x-ledge-user', role: 'x-ledge-role', secret: 'x-ledge-secret' } as const;
const JSON_LIMIT_BYTES = 1024 * 1024;
const ANONYMOUS: Caller = { user: '', role: 'viewer' };

/** Where a service listens: a socket that file rights guard, or a port with a secret that the gateway knows. */
export type ListenAddress =
  | { kind: 'socket'; path: string }
  | { kind: 'tcp'; host: string; port: number; secret: string; advertise: string };

/** Routes of one service over express. Answers problems as RFC 9457 documents, in one place. */
export class HttpApi implements Api {
  readonly router = express.Router();
  readonly #app: Express = express();
  readonly #operations: Operation[] = [];
  readonly #log: Logger;
  readonly #secret: string | undefined;
  #server: Server | undefined;

  constructor(log: Logger, secret: string | undefined) {
    this.#log = log;
    this.#secret = secret;
    this.#app.disable('x-powered-by');
    this.#app.disable('etag');
  }

  get operations(): readonly Operation[] {
    return this.#operations;
  }

  /** The express application, for a service that also listens elsewhere (the server's own public port). */
  get app(): Express {
    return this.#app;
  }

  handle<const O extends Operation>(operation: O, handler: (call: Handled<O>) => unknown): void {
    this.#operations.push(operation);
    const path = operation.path.replace(/\{(\w+)\}/g, ':$1');
    const readsJson = operation.body ? [requireJson, express.json({ limit: JSON_LIMIT_BYTES, strict: false })] : [];
    this.#app[operation.method](path, ...readsJson, async (request: Request, response: Response) => {
      const caller = admit(request, operation.for, this.#secret);
      const ended = new AbortController();
      response.once('close', () => ended.abort());
      const call = {
        caller,
        request,
        response,
        signal: ended.signal,
        params: parsed(operation.params, request.params),
        query: parsed(operation.query, request.query),
        body: parsed(operation.body, request.body),
      } as Handled<O>;
      const answer = await handler(call);
      if (operation.streams || response.headersSent) return;
      if (answer === undefined) response.status(204).end();
      else response.json(answer);
    });
  }

  /** @throws Problem `already-running` when somebody answers at that socket, `port-taken` for a port in use. */
  async listen(address: ListenAddress): Promise<void> {
    this.#app.use(this.router);
    this.#app.use((request: Request) => {
      const known = this.#operations.some((operation) => pathPattern(operation.path).test(request.path));
      if (known) throw new Problem('method-not-allowed', `${request.path} does not take ${request.method}`);
      throw new Problem('not-found', `There is nothing at ${shown(request.path)}`);
    });
    this.#app.use(problemAnswer(this.#log));
    // only the gateway comes here, and it watches how uploads move; a limit would cut long ones
    const server = createServer({ requestTimeout: 0 }, this.#app);
    this.#server = server;
    if (address.kind === 'socket') await clearSocket(address.path);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const where = address.kind === 'socket' ? address.path : `${address.host}:${address.port}`;
        reject(cause.code === 'EADDRINUSE' ? new Problem('port-taken', `${where} is in use by another program`, { cause }) : cause);
      });
      if (address.kind === 'socket') server.listen(address.path, resolve);
      else server.listen(address.port, address.host, resolve);
    });
    if (address.kind === 'socket' && !isPipe(address.path)) chmodSync(address.path, 0o660);
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }
}

const isPipe = (path: string) => path.startsWith('\\\\');
const pathPattern = (path: string) => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}/?$`);

/** A socket file that nobody answers at is left from a crash; one that answers belongs to a living process. */
async function clearSocket(path: string): Promise<void> {
  if (isPipe(path)) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) return;
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (alive) throw new Problem('already-running', `Another process already serves ${path}; stop it first`);
  unlinkSync(path);
}

function requireJson(request: Request, _response: Response, next: () => void): void {
  const length = request.headers['content-length'];
  const empty = request.headers['transfer-encoding'] === undefined && (length === undefined || length === '0');
  if (!empty && !request.is('json')) {
    throw new Problem('unsupported-media-type', `content-type is ${shown(request.headers['content-type'])}; application/json is wanted`);
  }
  next();
}

const parsed = (schema: z.ZodType | undefined, input: unknown) => (schema ? parse(schema, input) : undefined);

function sameSecret(given: string | undefined, wanted: string): boolean {
  const a = Buffer.from(given ?? '');
  const b = Buffer.from(wanted);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Only the gateway knows who asks, and says so in headers. Without them, only what is public is answered. */
function admit(request: Request, audience: Audience, secret: string | undefined): Caller {
  const trusted = secret === undefined || sameSecret(request.get(CALLER_HEADERS.secret), secret);
  const user = request.get(CALLER_HEADERS.user);
  const role = callerRoleSchema.safeParse(request.get(CALLER_HEADERS.role));
  const caller = trusted && user && role.success ? { user, role: role.data } : undefined;
  if (audience === 'public') return caller ?? ANONYMOUS;
  if (!caller) throw new Problem('not-signed-in', 'Sign in, or send a token, to use this.');
  if (audience === 'admin' && caller.role !== 'admin')
    throw new Problem('not-allowed', `The role ${caller.role} may not do this; admin may.`);
  return caller;
}

interface BodyParserError extends Error {
  status: number;
  type: string;
}

/** Turns whatever a handler threw into a {@link Problem}. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { type, status, message } = error as BodyParserError;
  if (type === 'entity.too.large')
    return new Problem('payload-too-large', `The body is too large; ${JSON_LIMIT_BYTES} bytes are the limit.`, { cause: error });
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new Problem('bad-request', `The request cannot be read: ${message}`, { cause: error });
  return new Problem('internal', 'Something went wrong inside; the log has the details.', { cause: error });
}

/** The one place that turns problems into HTTP. */
export function problemAnswer(log: Logger): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const problem = asProblem(error);
    // 502, 503 and 504 tell of something that is away, which whoever asked is told; it is no fault of this service
    if (problem.status === 500) log.error({ path: request.path, method: request.method, err: error }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (problem.retryAfterS !== undefined) response.set('Retry-After', String(Math.ceil(problem.retryAfterS)));
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem.toDocument()));
  };
}
