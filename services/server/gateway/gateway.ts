import { Agent, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ID_PATTERN, Problem, shown } from '@ledge/contract';
import { CALLER_HEADERS, type Clock, type Logger, type Target } from '@ledge/kit';
import { createProxyServer, type ProxyServer } from 'httpxy';
import { type AuditLog, type AuditNote, NOBODY } from '../auth/audit.ts';
import { addressOf, checkSameSite, type Identifier, type Identity, isChange } from '../auth/identify.ts';
import { displayMay } from '../kiosk/may-display.ts';
import { proofFor } from '../registry/address.ts';
import { OWN_HEADERS, rewriteRequestHeaders, rewriteResponseHeaders } from './headers.ts';
import { OpenAnswers } from './open-answers.ts';
import { endWithProblem, sendProblem } from './problem.ts';
import { EVENT_STREAM, type RequestMetrics, statusOf } from './request-metrics.ts';

export const OWN_NAME = 'server';
/** Bodies of the server's own API are small JSON documents; other services say their own limits, as do its uploads. */
export const MAX_OWN_BODY_BYTES = 256 * 1024;
const OWN_UPLOADS = ['/backup/check', '/backup/part'];
const MAX_URL_LENGTH = 8 * 1024;
const RETRY_AFTER_S = 2;

/** The part of the registry that the gateway needs. */
export interface Directory {
  find(name: string): Target | undefined;
  knows(name: string): boolean;
}

export interface GatewayPorts {
  identifier: Identifier;
  directory: Directory;
  /** The server's own API, in this process. */
  own(request: IncomingMessage, response: ServerResponse): void;
  /** Known to the gateway and to services that listen on a TCP port. */
  secret: string;
  audit: AuditLog;
  metrics: RequestMetrics;
  clock: Clock;
  log: Logger;
  /** A service that has not begun to answer after so long is away; uploads count from their last byte. */
  answerWithinMs(service: string): number;
}

interface Route {
  service: string;
  /** Path and query as the service sees them. */
  rest: string;
}

/**
 * `/api/<name>/**` to the service of that name, over its own socket. Bodies and streams pass through unbuffered; who asks goes along
 * in headers that only the gateway sets.
 */
export class Gateway {
  readonly #ports: GatewayPorts;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  readonly #proxy: ProxyServer;
  readonly #calls = new WeakMap<IncomingMessage, ClientRequest>();
  readonly #services = new WeakMap<IncomingMessage, string>();
  readonly #upgraded = new Set<Duplex>();
  readonly #open: OpenAnswers;

  constructor(ports: GatewayPorts) {
    this.#ports = ports;
    this.#open = new OpenAnswers(ports.clock);
    this.#proxy = createProxyServer({ agent: this.#agent });
  }

  start(): void {
    this.#open.start();
    this.#proxy.on('proxyReq', (call, request) => {
      this.#calls.set(request, call);
      const answerWithinMs = this.#ports.answerWithinMs(this.#services.get(request) ?? '');
      call.setTimeout(answerWithinMs, () => call.destroy(new Error(`no answer within ${answerWithinMs} ms`)));
    });
    this.#proxy.on('proxyRes', (answer, request, response) => {
      this.#calls.get(request)?.setTimeout(0); // it answers; a stream may be silent from here on
      rewriteResponseHeaders(answer.headers, response.getHeaderNames());
      // httpxy copies the headers after this event; without a first event they would wait for a body
      if (answer.headers['content-type']?.startsWith(EVENT_STREAM)) setImmediate(() => response.headersSent || response.flushHeaders());
    });
    // httpxy lets the service's side stay open when the client's is gone without an error
    this.#proxy.on('proxyReqWs', (call, _request, socket) => {
      call.once('upgrade', (_answer, behind) => socket.once('close', () => behind.destroy()));
    });
    this.#proxy.on('error', (cause, request, answer) => this.#failed(cause, request, answer));
  }

  stop(): void {
    this.#open.stop();
    this.#agent.destroy();
    for (const socket of this.#upgraded) socket.destroy();
  }

  /** A session or token is no more: what is still being read with it, streams above all, ends now. */
  end(grant: string): void {
    this.#open.end(grant);
  }

  /** @param request whose URL begins with `/api/`. @throws Problem, before anything was sent */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const counted = this.#ports.metrics.count(request.method ?? '', response);
    const { service, rest } = routeOf(request.url ?? '');
    if (service === OWN_NAME || this.#ports.directory.knows(service)) counted.service = service;
    const identity = this.#admit(request, response, service, rest);
    // a change is answered even if it ends the session it came with, as signing out does
    if (identity && !isChange(request.method)) this.#open.hold(identity, response);
    if (identity?.cookie) response.setHeader('Set-Cookie', identity.cookie);
    response.setHeader('Cache-Control', 'no-store');
    request.url = rest;
    if (service === OWN_NAME) {
      this.#handleOwn(request, response, identity);
      return;
    }
    const target = this.#targetOf(service);
    this.#services.set(request, service);
    rewriteRequestHeaders(request, identity, proofFor(target, this.#ports.secret));
    this.#proxy.web(request, response, { target }).catch((cause: unknown) => this.#failed(cause, request, response));
  }

  /** WebSockets and other upgrades. Answers problems on the socket itself. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.once('error', () => socket.destroy());
    try {
      const { service, rest } = routeOf(request.url ?? '');
      if (service === OWN_NAME) throw new Problem('not-found', `There is nothing to upgrade to at ${shown(rest)}`);
      checkSameSite(request);
      const identity = this.#ports.identifier.identify(request);
      checkDisplay(identity, request, service, rest);
      const target = this.#targetOf(service);
      if (identity) this.#open.hold(identity, socket);
      request.url = rest;
      this.#services.set(request, service);
      rewriteRequestHeaders(request, identity, proofFor(target, this.#ports.secret));
      this.#upgraded.add(socket);
      socket.once('close', () => this.#upgraded.delete(socket));
      const options = { target, agent: false, upgradeTimeout: this.#ports.answerWithinMs(service) };
      this.#proxy.ws(request, socket as Socket, options, head).catch((cause: unknown) => this.#failed(cause, request, socket));
    } catch (error) {
      endWithProblem(socket, error);
    }
  }

  /** Who asks; and every change asked for is written down with its outcome, also a refused one. */
  #admit(request: IncomingMessage, response: ServerResponse, service: string, rest: string): Identity | undefined {
    const { audit, identifier } = this.#ports;
    let identity: Identity | undefined;
    if (isChange(request.method)) {
      const action = `${request.method} /api/${service}${rest.split('?', 1)[0]}`;
      const address = addressOf(request);
      response.once('close', () => {
        const note = (response as { locals?: { audit?: AuditNote } }).locals?.audit;
        if (note?.routine) return;
        audit.add({
          user: note?.user ?? identity?.user ?? NOBODY,
          address,
          action,
          detail: note?.detail ?? '',
          status: statusOf(response),
        });
      });
      checkSameSite(request);
    }
    identity = identifier.identify(request);
    checkDisplay(identity, request, service, rest);
    return identity;
  }

  #handleOwn(request: IncomingMessage, response: ServerResponse, identity: Identity | undefined): void {
    const isUpload = OWN_UPLOADS.includes(request.url?.split('?', 1)[0] ?? '');
    if (!isUpload && Number(request.headers['content-length'] ?? 0) > MAX_OWN_BODY_BYTES) {
      throw new Problem('payload-too-large', `The body is too large; ${MAX_OWN_BODY_BYTES} bytes are the limit.`);
    }
    const address = addressOf(request);
    rewriteRequestHeaders(request, identity, {
      [CALLER_HEADERS.secret]: this.#ports.secret,
      [OWN_HEADERS.address]: address,
      ...(identity?.session ? { [OWN_HEADERS.session]: identity.session } : {}),
      ...(identity ? { [OWN_HEADERS.expires]: String(identity.expiresMs) } : {}),
    });
    this.#ports.own(request, response);
  }

  #targetOf(service: string): Target {
    const { directory } = this.#ports;
    const target = directory.find(service);
    if (target) return target;
    if (directory.knows(service)) {
      throw new Problem('service-away', `${service} does not run at this moment.`, { retryAfterS: RETRY_AFTER_S });
    }
    throw new Problem('not-found', `There is no service ${shown(service)}.`);
  }

  #failed(cause: unknown, request: IncomingMessage | undefined, answer: unknown): void {
    const name = (request && this.#services.get(request)) ?? 'the service';
    const problem = new Problem('service-away', `${name} does not answer; it may be starting again.`, {
      cause,
      retryAfterS: RETRY_AFTER_S,
    });
    if (isResponse(answer)) {
      if (answer.destroyed || answer.writableEnded) return;
      this.#ports.log.warn({ target: name, path: request?.url, err: cause }, 'service away');
      if (answer.headersSent) answer.destroy();
      else sendProblem(answer, problem);
    } else if (answer) {
      endWithProblem(answer as Duplex, problem);
    }
  }
}

function checkDisplay(identity: Identity | undefined, request: IncomingMessage, service: string, rest: string): void {
  if (identity?.role !== 'kiosk') return;
  if (request.headers.upgrade !== undefined || !displayMay(request.method, service, rest))
    throw new Problem('not-allowed', `The box's own display may not ask for ${request.method} ${shown(`/api/${service}${rest}`)}.`);
}

const isResponse = (answer: unknown): answer is ServerResponse => typeof (answer as ServerResponse | undefined)?.writeHead === 'function';

function routeOf(url: string): Route {
  if (url.length > MAX_URL_LENGTH)
    throw new Problem('bad-request', `The address has ${url.length} characters; ${MAX_URL_LENGTH} are the limit.`);
  const [, service, rest] = /^\/api\/([^/?]*)(.*)$/.exec(url) ?? [];
  if (service === undefined || rest === undefined || !ID_PATTERN.test(service)) {
    throw new Problem('not-found', `There is nothing at ${shown(url)}`);
  }
  return { service, rest: rest.startsWith('/') ? rest : `/${rest}` };
}
