import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { CALLER_HEADERS } from '@ledge/kit';
import type { Identity } from '../auth/identify.ts';

/** Said only to the server's own API. */
export const OWN_HEADERS = { session: 'x-ledge-session', address: 'x-ledge-address', expires: 'x-ledge-expires' } as const;

/** RFC 9110, 7.6.1: these are for one connection only. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer'] as const;

/** Proof of identity ends here: a service, perhaps somebody else's, must not be able to use it. */
const PRIVATE = ['cookie', 'authorization'] as const;

/** Nothing that a client says of itself may reach a service as if the gateway had said it. */
const isClaim = (name: string) =>
  name.startsWith('x-ledge-') || name.startsWith('x-forwarded-') || name === 'forwarded' || name === 'x-real-ip';

/** Replaces what the client claims by what the gateway knows. Without an identity the service sees a stranger. */
export function rewriteRequestHeaders(request: IncomingMessage, identity: Identity | undefined, more: Record<string, string>): void {
  const { headers } = request;
  const closes = /(?:^|,)\s*close\s*(?:,|$)/i.test(headers.connection ?? '');
  const upgrades = headers.upgrade !== undefined && /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers.connection ?? '');
  for (const name of Object.keys(headers)) if (isClaim(name)) delete headers[name];
  for (const name of [...HOP_BY_HOP, ...PRIVATE, 'expect']) delete headers[name];
  if (upgrades) headers.connection = 'Upgrade';
  else {
    delete headers.upgrade;
    headers.connection = closes ? 'close' : 'keep-alive';
  }
  Object.assign(headers, more);
  if (identity) {
    headers[CALLER_HEADERS.user] = identity.user;
    headers[CALLER_HEADERS.role] = identity.role;
  }
}

/**
 * Takes out of a service's answer what is the gateway's to say: headers of the hop, cookies (they would be sent to every service),
 * and whatever the gateway has already set for safety.
 */
export function rewriteResponseHeaders(headers: IncomingHttpHeaders, alreadySet: readonly string[]): void {
  for (const name of [...HOP_BY_HOP, 'set-cookie', 'strict-transport-security']) delete headers[name];
  for (const name of alreadySet) if (name !== 'cache-control') delete headers[name];
}
