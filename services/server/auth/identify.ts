import type { IncomingMessage } from 'node:http';
import { type CallerRole, Problem } from '@ledge/contract';
import { SESSION_COOKIE, type Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';

/** Who asks, as far as their request proves it. */
export interface Identity {
  user: string;
  role: CallerRole;
  /** Key of the session or id of the token: this identity lasts as long as that does. */
  grant: string;
  /** Key of the session, absent for tokens. A user name has no colon, so `token:<name>` is nobody else. */
  session?: string;
  expiresMs: number;
  /** The session moved its expiry: send this cookie. */
  cookie?: string;
}

const MAX_COOKIE_LENGTH = 4096;
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** Who the box's own display is, if this is its cookie and it comes from here. */
export interface DisplayPass {
  identify(secret: string, address: string): Identity | undefined;
}

/** Reads who asks from the session cookie or the bearer token. */
export class Identifier {
  readonly #sessions: Sessions;
  readonly #tokens: Tokens;
  readonly #display: DisplayPass;

  constructor(sessions: Sessions, tokens: Tokens, display: DisplayPass) {
    this.#sessions = sessions;
    this.#tokens = tokens;
    this.#display = display;
  }

  /** @returns undefined for a request without proof. @throws Problem `not-signed-in` for a bearer token that is not, or no longer, good */
  identify(request: IncomingMessage): Identity | undefined {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const bearer = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
      const token = bearer === undefined ? undefined : this.#tokens.find(bearer);
      if (!token) throw new Problem('not-signed-in', 'The bearer token is unknown, revoked or expired.');
      return { user: `token:${token.name}`, role: token.role, grant: token.id, expiresMs: token.expiresMs };
    }
    const secret = sessionSecret(request.headers.cookie);
    if (secret === undefined) return undefined;
    const address = addressOf(request);
    const session = this.#sessions.find(secret, address);
    if (!session) return this.#display.identify(secret, address);
    return {
      user: session.user,
      role: session.role,
      grant: session.key,
      session: session.key,
      expiresMs: session.expiresMs,
      ...(session.renewed ? { cookie: this.#sessions.cookie(secret, session.expiresMs) } : {}),
    };
  }
}

function sessionSecret(header: string | undefined): string | undefined {
  if (header === undefined || header.length > MAX_COOKIE_LENGTH) return undefined;
  const prefix = `${SESSION_COOKIE}=`;
  const value = header
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(prefix))
    ?.slice(prefix.length);
  return value !== undefined && SECRET.test(value) ? value : undefined;
}

/** Where a request comes from; IPv4 in IPv6 is written as IPv4. */
export const addressOf = (request: IncomingMessage) => request.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/i, '') ?? 'unknown';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
export const isChange = (method: string | undefined) => !SAFE_METHODS.has(method ?? '');

/**
 * Refuses what a page of another site made the browser send. Browsers say where a request comes from in `Sec-Fetch-Site`
 * (W3C Fetch Metadata; only over HTTPS and to localhost) or else in `Origin`; programs say neither. A bearer token is proof enough,
 * as browsers never add one by themselves. Also needed at WebSocket upgrades, which no same-origin policy covers.
 */
export function checkSameSite(request: IncomingMessage): void {
  const { headers } = request;
  if (headers.authorization !== undefined) return;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new Problem('cross-site', `The request comes from another site (Sec-Fetch-Site is ${site}).`);
  }
  const { origin } = headers;
  if (origin !== undefined && !isAt(origin, headers.host)) {
    throw new Problem('cross-site', `The request comes from ${origin}, not from a page of this box.`);
  }
}

/** Is `origin` the address that the `Host` header names? The scheme may differ, as a proxy in front may speak TLS; default ports are left out. */
function isAt(origin: string, host: string | undefined): boolean {
  try {
    const { protocol, host: from } = new URL(origin);
    return from !== '' && from === new URL(`${protocol}//${host}`).host;
  } catch {
    return false;
  }
}
