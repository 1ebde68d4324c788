import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import type { LogLine } from '@ledge/contract';
import type { Child } from './child.ts';
import type { MergedLog } from './log.ts';

/** A reader of the log that lets so many bytes pile up is let go. */
const MAX_READER_BACKLOG_BYTES = 1024 * 1024;

/**
 * The supervisor's own small API on a socket that only this user reaches; `@ledge/host` speaks it:
 * `GET /services`, `POST /services/<name>/{start,stop,restart}`, `GET /logs?last=&service=` as lines of JSON, live.
 */
export class ControlSocket {
  readonly #children: ReadonlyMap<string, Child>;
  readonly #log: MergedLog;
  #server: Server | undefined;

  constructor(children: ReadonlyMap<string, Child>, log: MergedLog) {
    this.#children = children;
    this.#log = log;
  }

  async listen(path: string): Promise<void> {
    const isPipe = path.startsWith('\\\\');
    if (!isPipe) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      rmSync(path, { force: true }); // the lock on the data directory says that nobody else is there
    }
    const server = createServer((request, response) => this.#answer(request, response));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    if (!isPipe) chmodSync(path, 0o600);
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://supervisor');
    if (request.method === 'GET' && url.pathname === '/services') {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify([...this.#children.values()].map((child) => child.view)));
      return;
    }
    if (request.method === 'GET' && url.pathname === '/logs') {
      this.#stream(url, response);
      return;
    }
    const [, name, verb] = /^\/services\/([a-z0-9-]+)\/(start|stop|restart)$/.exec(url.pathname) ?? [];
    const child = name === undefined ? undefined : this.#children.get(name);
    if (request.method !== 'POST' || !child) {
      response.writeHead(404).end();
      return;
    }
    // answered before it happens: the one who asks may be the one who is stopped
    response.writeHead(200).end();
    if (verb === 'start') child.start();
    else void (verb === 'stop' ? child.stop() : child.restart());
  }

  #stream(url: URL, response: ServerResponse): void {
    const service = url.searchParams.get('service') ?? undefined;
    const write = (line: LogLine) => {
      if (service && line.service !== service) return;
      if (response.writableLength > MAX_READER_BACKLOG_BYTES) response.destroy();
      else response.write(`${JSON.stringify(line)}\n`);
    };
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    response.flushHeaders();
    for (const line of this.#log.newest(Number(url.searchParams.get('last') ?? 0), service)) write(line);
    const unfollow = this.#log.follow(write);
    response.once('close', unfollow);
  }
}
