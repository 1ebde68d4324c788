import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { rewriteRequestHeaders, rewriteResponseHeaders } from './headers.ts';

const ADMIN = { user: 'admin', role: 'admin', grant: 'key', session: 'key', expiresMs: 0 } as const;

function rewritten(headers: Record<string, string>, identity: typeof ADMIN | 'nobody' = ADMIN) {
  const request = new IncomingMessage(new Socket());
  Object.assign(request.headers, headers);
  rewriteRequestHeaders(request, identity === 'nobody' ? undefined : identity, { 'x-ledge-secret': 'ours' });
  return request.headers;
}

test('nothing that a client claims of itself passes', () => {
  const claims = {
    'x-ledge-user': 'root',
    'x-ledge-role': 'admin',
    'x-ledge-secret': 'theirs',
    'x-ledge-session': 'theirs',
    'x-forwarded-for': '127.0.0.1',
    forwarded: 'for=127.0.0.1',
  };
  expect(rewritten(claims, 'nobody')).toEqual({ connection: 'keep-alive', 'x-ledge-secret': 'ours' });
  expect(rewritten(claims)).toEqual({
    connection: 'keep-alive',
    'x-ledge-secret': 'ours',
    'x-ledge-user': 'admin',
    'x-ledge-role': 'admin',
  });
});

test('a Connection header cannot take our headers away again', () => {
  expect(rewritten({ connection: 'keep-alive, x-ledge-role, x-ledge-user', te: 'trailers', trailer: 'x-ledge-role' })).toEqual({
    connection: 'keep-alive',
    'x-ledge-secret': 'ours',
    'x-ledge-user': 'admin',
    'x-ledge-role': 'admin',
  });
});

test('proof of identity ends at the gateway, and the rest passes', () => {
  const headers = rewritten({ cookie: 'ledge=secret', authorization: 'Bearer ldg_x', 'content-type': 'audio/mpeg', range: 'bytes=0-' });
  expect(headers).not.toHaveProperty('cookie');
  expect(headers).not.toHaveProperty('authorization');
  expect(headers).toMatchObject({ 'content-type': 'audio/mpeg', range: 'bytes=0-' });
});

test('an upgrade is kept only when the connection asks for it', () => {
  expect(rewritten({ connection: 'Upgrade', upgrade: 'websocket' })).toMatchObject({ connection: 'Upgrade', upgrade: 'websocket' });
  expect(rewritten({ connection: 'keep-alive', upgrade: 'websocket' })).not.toHaveProperty('upgrade');
});

test('a service cannot set cookies or loosen what the gateway has set', () => {
  const headers = {
    'set-cookie': ['ledge=theirs'],
    'content-security-policy': 'default-src *',
    'cache-control': 'max-age=60',
    connection: 'close',
    'content-type': 'text/plain',
  };
  rewriteResponseHeaders(headers, ['content-security-policy', 'cache-control']);
  expect(headers).toEqual({ 'cache-control': 'max-age=60', 'content-type': 'text/plain' });
});
