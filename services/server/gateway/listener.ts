import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Problem } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import { endWithProblem } from './problem.ts';

/** Nobody honest needs longer for a page of headers; who drips them (slow loris) holds a connection no longer than this. */
const HEADERS_WITHIN_MS = 10_000;
const CONNECTIONS_CHECKED_EVERY_MS = 2_000;
const MAX_HEADER_BYTES = 16 * 1024;
const KEEP_ALIVE_MS = 65_000;
export const MAX_CONNECTIONS = 2_000;
/** An upload may take hours, but it must move: less than this many bytes in a window, and it is cut. */
const MIN_BODY_BYTES_PER_WINDOW = 1024;
const BODY_WINDOW_MS = 30_000;

export interface ListenerPorts {
  host: string;
  port: number;
  clock: Clock;
  request: RequestListener;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** The public HTTP port, with limits that a stranger on the network cannot stretch. */
export class PublicListener {
  readonly #ports: ListenerPorts;
  #server: Server | undefined;

  constructor(ports: ListenerPorts) {
    this.#ports = ports;
  }

  /** @throws Problem `port-taken` */
  async start(): Promise<void> {
    const { host, port, request, upgrade, clock } = this.#ports;
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_WITHIN_MS,
        requestTimeout: 0, // bodies are watched by their pace below: a time limit would cut long uploads
        connectionsCheckingInterval: CONNECTIONS_CHECKED_EVERY_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        // RFC 9110, 7.8: an offer to upgrade that we do not take up, such as h2c, is a plain request
        shouldUpgradeCallback: (incoming) => incoming.headers.upgrade?.toLowerCase() === 'websocket',
      },
      (incoming, response) => {
        watchPace(clock, incoming);
        request(incoming, response);
      },
    );
    server.maxConnections = MAX_CONNECTIONS;
    server.on('upgrade', upgrade);
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // browsers open connections ahead: one that asked nothing would take a refusal for the answer to what it asks in that moment
      if (error.code === 'ECONNRESET' || (socket as Socket).bytesRead === 0) socket.destroy();
      else endWithProblem(socket, clientProblem(error));
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => reject(listenProblem(cause, host, port)));
      server.listen(port, host, resolve);
    });
  }

  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? this.#ports.port;
  }

  get listening(): boolean {
    return this.#server?.listening === true;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server?.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }
}

/** Ends a request whose body does not move. What waits because the service behind is slow to take it does not count. */
function watchPace(clock: Clock, request: IncomingMessage): void {
  const { headers, socket } = request;
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) return;
  let seen = socket.bytesRead;
  const stop = clock.every(BODY_WINDOW_MS, () => {
    const moved = socket.bytesRead - seen;
    seen = socket.bytesRead;
    if (request.complete) stop();
    else if (moved < MIN_BODY_BYTES_PER_WINDOW && request.readableLength === 0) socket.destroy();
  });
  request.once('close', stop);
}

function clientProblem(error: NodeJS.ErrnoException): Problem {
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return new Problem('bad-request', `The headers are larger than ${MAX_HEADER_BYTES} bytes.`, { cause: error });
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem('bad-request', `The headers did not come within ${HEADERS_WITHIN_MS / 1000} s.`, { cause: error });
  }
  return new Problem('bad-request', `This is no HTTP request that can be read (${error.code ?? error.message}).`, { cause: error });
}

function listenProblem(cause: NodeJS.ErrnoException, host: string, port: number): Problem {
  const another = 'choose another with EDGE_HTTP_PORT, or port below server: in ledge.yaml';
  if (cause.code === 'EADDRINUSE')
    return new Problem('port-taken', `Port ${port} at ${host} is in use by another program; ${another}.`, { cause });
  if (cause.code === 'EACCES')
    return new Problem('port-taken', `Port ${port} at ${host} may not be opened by this user; ${another}.`, { cause });
  if (cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND') {
    return new Problem('config-invalid', `host is ${host}; an address of this machine is wanted, such as 127.0.0.1 or 0.0.0.0`, { cause });
  }
  return new Problem('internal', `Port ${port} at ${host} cannot be opened: ${cause.message}`, { cause });
}
