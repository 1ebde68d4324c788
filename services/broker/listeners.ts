import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { Problem } from '@ledge/contract';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { Peer, Transport } from './link.ts';

export interface ListenSettings {
  host: string;
  /** 0 lets the system choose; the other ports are off at 0. */
  port: number;
  tlsPort: number;
  webSocketPort: number;
  secureWebSocketPort: number;
}
export interface Certificate {
  cert: string;
  key: string;
}
export interface Ports {
  tcp: number | undefined;
  tls: number | undefined;
  webSocket: number | undefined;
  secureWebSocket: number | undefined;
}

/** MQTT 3.1.1, 6: binary frames, subprotocol `mqtt`; older clients still say `mqttv3.1`. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];
const WEB_SOCKET_PATH = '/mqtt';
const HANDSHAKE_MS = 10_000;
const BACKLOG = 511;
/** Two chunks of a socket: the beginning of a message comes in one chunk with the end of the one before, and several packets may share one. */
const MESSAGE_SLACK_BYTES = 131_072;

/** Whom a stream was given to. */
export interface Accepted {
  readonly packetBytes: number;
  /** More came than any packet may have. */
  overfull(reason: string): void;
}
type Accept = (stream: Duplex, peer: Peer) => Accepted | undefined;
type Refuse = (address: string, reason: string) => void;

interface Open {
  transport: Transport;
  server: Server;
  webSockets?: WebSocketServer;
}

/** All the doors of the broker: TCP, TLS, WebSocket and secure WebSocket. */
export class Listeners {
  readonly #settings: ListenSettings;
  readonly #certificate: () => Promise<Certificate>;
  readonly #accept: Accept;
  readonly #refuse: Refuse;
  readonly #open: Open[] = [];

  constructor(settings: ListenSettings, certificate: () => Promise<Certificate>, accept: Accept, refuse: Refuse) {
    this.#settings = settings;
    this.#certificate = certificate;
    this.#accept = accept;
    this.#refuse = refuse;
  }

  /** @throws Problem `port-taken`; nothing is left open then. */
  async start(): Promise<void> {
    const { port, tlsPort, webSocketPort, secureWebSocketPort } = this.#settings;
    try {
      await this.#listen('tcp', port, 'port', this.#tcpServer());
      if (webSocketPort > 0) await this.#listenWebSocket('websocket', webSocketPort, 'webSocketPort', createHttpServer());
      if (tlsPort === 0 && secureWebSocketPort === 0) return;
      const certificate = await this.#certificate();
      if (tlsPort > 0) await this.#listen('tls', tlsPort, 'tlsPort', this.#tlsServer(certificate));
      if (secureWebSocketPort > 0) {
        await this.#listenWebSocket(
          'wss',
          secureWebSocketPort,
          'secureWebSocketPort',
          createHttpsServer({ ...certificate, ...TLS_OPTIONS }),
        );
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const { server, webSockets } of this.#open) {
      for (const socket of webSockets?.clients ?? []) socket.terminate();
      webSockets?.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) (server as HttpServer).closeAllConnections();
      });
    }
    this.#open.length = 0;
  }

  get ports(): Ports {
    const port = (transport: Transport) => {
      const open = this.#open.find((o) => o.transport === transport);
      return (open?.server.address() as AddressInfo | null | undefined)?.port;
    };
    return { tcp: port('tcp'), tls: port('tls'), webSocket: port('websocket'), secureWebSocket: port('wss') };
  }

  #tcpServer(): Server {
    return createServer({ noDelay: true }, (socket) => this.#accept(socket, peerOf(socket, 'tcp')));
  }

  #tlsServer(certificate: Certificate): Server {
    const server = createTlsServer({ ...certificate, ...TLS_OPTIONS }, (socket) => this.#accept(socket, peerOf(socket, 'tls')));
    server.on('tlsClientError', (error, socket) => this.#refuse(socket.remoteAddress ?? '', tlsFault(error)));
    return server;
  }

  async #listenWebSocket(transport: Transport, port: number, setting: string, server: HttpServer): Promise<void> {
    server.headersTimeout = HANDSHAKE_MS;
    server.requestTimeout = HANDSHAKE_MS;
    server.on('request', (_request, response) => {
      response.writeHead(426, { 'content-type': 'text/plain', upgrade: 'websocket' });
      response.end(`This is an MQTT broker; a WebSocket to ${WEB_SOCKET_PATH} with subprotocol mqtt is wanted.\n`);
    });
    server.on('tlsClientError', (error: Error, socket: Socket) => this.#refuse(socket.remoteAddress ?? '', tlsFault(error)));
    const webSockets = new WebSocketServer({
      server,
      path: WEB_SOCKET_PATH,
      maxPayload: 0, // bounded below, by what the client may send just then
      perMessageDeflate: false,
      handleProtocols: (offered) => SUBPROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
    });
    webSockets.on('connection', (webSocket, request) => {
      const accepted = this.#accept(createWebSocketStream(webSocket), peerOf(request.socket, transport));
      if (accepted) boundMessages(webSocket, request.socket, accepted);
    });
    webSockets.on('error', () => {}); // the server's own error, which #listen hears
    await this.#listen(transport, port, setting, server, webSockets);
  }

  async #listen(transport: Transport, port: number, setting: string, server: Server, webSockets?: WebSocketServer): Promise<void> {
    await listen(server, this.#settings.host, port, setting).catch((error: unknown) => {
      webSockets?.close();
      throw error;
    });
    this.#open.push({ transport, server, ...(webSockets ? { webSockets } : {}) });
  }
}

/**
 * The wanted ports, with a free one for `port: 0`, for somebody else who will listen there.
 * @throws Problem `port-taken`
 */
export async function freePorts({
  host,
  port,
  tlsPort,
  webSocketPort,
  secureWebSocketPort,
}: ListenSettings): Promise<Record<keyof Ports, number>> {
  const wanted = { tcp: port, tls: tlsPort, webSocket: webSocketPort, secureWebSocket: secureWebSocketPort };
  const settings = { tcp: 'port', tls: 'tlsPort', webSocket: 'webSocketPort', secureWebSocket: 'secureWebSocketPort' } as const;
  for (const [name, setting] of Object.entries(settings) as [keyof Ports, (typeof settings)[keyof Ports]][]) {
    if (name !== 'tcp' && wanted[name] === 0) continue;
    const server = createServer();
    await listen(server, host, wanted[name], setting);
    wanted[name] = (server.address() as AddressInfo).port;
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  return wanted;
}

/** @throws Problem `port-taken` or `config-invalid`, in words of the setting */
function listen(server: Server, host: string, port: number, setting: string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  }).catch((error: NodeJS.ErrnoException) => {
    throw listenProblem(error, host, port, setting);
  });
}

const TLS_OPTIONS = { minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_MS } as const;

/** OpenSSL's message is a line of numbers and file names; `reason` is the words in it. */
const tlsFault = ({ reason, code, message }: Error & { reason?: string; code?: string }) => `TLS failed: ${reason ?? code ?? message}`;

/** A WebSocket message is gathered whole before we get any of it: so what comes is counted before that, and ended in time. */
function boundMessages(webSocket: WebSocket, socket: Socket, accepted: Accepted): void {
  let gathered = 0;
  webSocket.on('message', () => {
    gathered = 0;
  });
  socket.on('data', (chunk: Buffer) => {
    gathered += chunk.length;
    const most = accepted.packetBytes + MESSAGE_SLACK_BYTES;
    if (gathered > most) accepted.overfull(`sent a WebSocket message of more than ${most} bytes`);
  });
}

function peerOf(socket: Socket, transport: Transport): Peer {
  return { address: (socket.remoteAddress ?? '').replace(/^::ffff:/, ''), transport };
}

function listenProblem(error: NodeJS.ErrnoException, host: string, port: number, setting: string): Problem {
  const variable = setting === 'port' ? 'EDGE_MQTT_PORT' : `EDGE_BROKER_${setting.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`;
  const choose = `choose another with the setting ${setting} or ${variable}`;
  if (error.code === 'EADDRINUSE') {
    return new Problem('port-taken', `port ${port} on ${host} is in use by another program; stop it, or ${choose}`, { cause: error });
  }
  if (error.code === 'EACCES') {
    return new Problem('port-taken', `port ${port} on ${host} may not be used by this user; ${choose}, above 1023`, { cause: error });
  }
  return new Problem('config-invalid', `nothing can listen on host ${host}, ${setting} ${port}: ${error.message}`, { cause: error });
}
