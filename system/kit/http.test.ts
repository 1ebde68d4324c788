import { mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { operation, Problem } from '@ledge/contract';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { HttpApi } from './http.ts';
import { openApiDocument } from './openapi.ts';

const path = join(mkdtempSync(join(tmpdir(), 'ledge-http-')), 'hello.sock');
let api: HttpApi | undefined;
afterEach(() => api?.close());

const greet = operation({
  method: 'post',
  path: '/people/{name}/greet',
  summary: 'Greet',
  for: 'viewer',
  params: z.object({ name: z.string().max(5) }),
  query: z.object({ times: z.coerce.number().int().max(3).default(1) }),
  body: z.object({ word: z.string() }),
  response: z.object({ said: z.string() }),
});
const wipe = operation({ method: 'delete', path: '/people', summary: 'Wipe', for: 'admin', response: z.void() });
const broken = operation({ method: 'get', path: '/broken', summary: 'Fails', for: 'public', response: z.string() });

async function serve(secret?: string): Promise<HttpApi> {
  const served = new HttpApi(pino({ level: 'silent' }), secret);
  served.handle(greet, ({ params, query, body, caller }) => ({ said: `${caller.user}: ${body.word.repeat(query.times)} ${params.name}` }));
  served.handle(wipe, () => {});
  served.handle(broken, () => {
    throw new Error('a secret detail');
  });
  await served.listen({ kind: 'socket', path });
  return served;
}

interface Answer {
  status: number;
  type: string | undefined;
  body: { code?: string; detail?: string; said?: string; errors?: { field: string }[] };
}
async function ask(
  method: string,
  target: string,
  { body, headers = {} }: { body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const call = request(
      {
        agent: false,
        socketPath: path,
        method,
        path: target,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'], body: text === '' ? {} : JSON.parse(text) });
        });
      },
    );
    call.once('error', reject);
    call.end(body);
  });
}
const viewer = { 'x-ledge-user': 'ann', 'x-ledge-role': 'viewer' };
const admin = { 'x-ledge-user': 'ann', 'x-ledge-role': 'admin' };

test('a call is parsed, handled and answered', async () => {
  api = await serve();
  const answer = await ask('POST', '/people/bob/greet?times=2', { body: '{"word":"hi"}', headers: viewer });
  expect(answer).toMatchObject({ status: 200, body: { said: 'ann: hihi bob' } });
  expect((await ask('DELETE', '/people', { headers: admin })).status).toBe(204);
});

test.each<[string, string, string, string | undefined, Record<string, string>, number, string]>([
  ['nobody', 'POST', '/people/bob/greet', '{"word":"hi"}', {}, 401, 'not-signed-in'],
  ['an unknown role', 'POST', '/people/bob/greet', '{"word":"hi"}', { 'x-ledge-user': 'a', 'x-ledge-role': 'root' }, 401, 'not-signed-in'],
  ['a viewer at an admin endpoint', 'DELETE', '/people', undefined, viewer, 403, 'not-allowed'],
  ['a wrong parameter', 'POST', '/people/barnaby/greet', '{"word":"hi"}', viewer, 400, 'invalid-value'],
  ['a wrong query', 'POST', '/people/bob/greet?times=9', '{"word":"hi"}', viewer, 400, 'invalid-value'],
  ['a wrong body', 'POST', '/people/bob/greet', '{"word":1}', viewer, 400, 'invalid-value'],
  ['no body', 'POST', '/people/bob/greet', undefined, viewer, 400, 'invalid-value'],
  ['broken JSON', 'POST', '/people/bob/greet', '{"word":', viewer, 400, 'bad-request'],
  [
    'another type of body',
    'POST',
    '/people/bob/greet',
    'word=hi',
    { ...viewer, 'content-type': 'text/plain' },
    415,
    'unsupported-media-type',
  ],
  ['a body over the limit', 'POST', '/people/bob/greet', JSON.stringify({ word: 'x'.repeat(2_000_000) }), viewer, 413, 'payload-too-large'],
  ['an unknown path', 'GET', '/nowhere', undefined, viewer, 404, 'not-found'],
  ['an unknown method', 'PUT', '/people', undefined, admin, 405, 'method-not-allowed'],
  ['a bad escape', 'GET', '/people/%E0%A4%A/greet', undefined, viewer, 400, 'bad-request'],
])('%s is refused with a problem document', async (_who, method, target, body, headers, status, code) => {
  api = await serve();
  const answer = await ask(method, target, { ...(body === undefined ? {} : { body }), headers });
  expect([answer.status, answer.body.code, answer.type]).toEqual([status, code, expect.stringContaining('application/problem+json')]);
});

test('a wrong field is named with its value', async () => {
  api = await serve();
  const { body } = await ask('POST', '/people/bob/greet', { body: '{"word":1}', headers: viewer });
  expect(body.errors).toEqual([{ field: 'word', message: 'word is 1; expected string, received number' }]);
});

test('an unforeseen error keeps its details to the log', async () => {
  api = await serve();
  const { status, body } = await ask('GET', '/broken');
  expect(status).toBe(500);
  expect(body).toMatchObject({ code: 'internal' });
  expect(JSON.stringify(body)).not.toContain('secret detail');
});

test('on a port, who the caller is counts only with the secret of the gateway', async () => {
  api = await serve('s3cret');
  const body = '{"word":"hi"}';
  expect((await ask('POST', '/people/bob/greet', { body, headers: viewer })).status).toBe(401);
  expect((await ask('POST', '/people/bob/greet', { body, headers: { ...viewer, 'x-ledge-secret': 'guess' } })).status).toBe(401);
  expect((await ask('POST', '/people/bob/greet', { body, headers: { ...viewer, 'x-ledge-secret': 's3cret' } })).status).toBe(200);
});

test('a second process on the same socket is refused; the socket of a dead one is taken over', async () => {
  api = await serve();
  const second = new HttpApi(pino({ level: 'silent' }), undefined);
  await expect(second.listen({ kind: 'socket', path })).rejects.toBeInstanceOf(Problem);
  expect((await ask('GET', '/nowhere')).status).toBe(404);
});

test('the OpenAPI document says what the operations say', async () => {
  const document = openApiDocument({ name: 'hello', version: '1', summary: 'Says hello' }, [greet, wipe]) as {
    paths: Record<string, Record<string, { parameters: { name: string; in: string; required: boolean }[]; responses: object }>>;
  };
  const post = document.paths['/people/{name}/greet']?.post;
  expect(post?.parameters.map((p) => [p.name, p.in, p.required])).toEqual([
    ['name', 'path', true],
    ['times', 'query', false],
  ]);
  expect(document.paths['/people']?.delete?.responses).toHaveProperty('204');
});
