import { mkdirSync, mkdtempSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gzipSync } from 'node:zlib';
import { Problem } from '@ledge/contract';
import { expect, onTestFinished, test } from 'vitest';
import { WebUi } from './web.ts';

const PAGE = '<!doctype html><title>Ledge</title>';
const SCRIPT = 'console.log(1)';

async function site() {
  const dir = mkdtempSync(join(tmpdir(), 'ledge-web-'));
  const secret = join(dir, 'secret.txt');
  const root = join(dir, 'webui');
  mkdirSync(join(root, 'assets'), { recursive: true });
  writeFileSync(secret, 'secret');
  writeFileSync(join(root, 'index.html'), PAGE);
  writeFileSync(join(root, 'kiosk.html'), 'kiosk');
  writeFileSync(join(root, 'favicon.svg'), '<svg/>');
  const script = join(root, 'assets', 'index-Ab3dEf9_.js');
  writeFileSync(script, SCRIPT);
  writeFileSync(`${script}.br`, brotliCompressSync(SCRIPT));
  writeFileSync(`${script}.gz`, gzipSync(SCRIPT));
  symlinkSync(secret, join(root, 'link.txt'));
  const web = new WebUi(root);
  const server = createServer((incoming, response) => {
    web.serve(incoming, response).catch((error: unknown) => {
      response.writeHead(error instanceof Problem ? error.status : 500).end(error instanceof Problem ? error.code : String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port, path, headers, method, agent: false }, async (answer) => {
        const parts: Buffer[] = [];
        for await (const part of answer) parts.push(part as Buffer);
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) });
      });
      call.once('error', reject);
      call.end();
    });
  return { get, root };
}

test('pages are asked for each time, and not sent again while they are the same', async () => {
  const { get } = await site();
  const first = await get('/');
  expect(first).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' } });
  expect(first.body.toString()).toBe(PAGE);
  const again = await get('/', { 'if-none-match': `W/"x", ${first.headers.etag}` });
  expect(again.status).toBe(304);
  expect(again.body).toHaveLength(0);
});

test('a hashed file is kept for ever, and comes in the smallest form that the browser takes', async () => {
  const { get } = await site();
  const path = '/assets/index-Ab3dEf9_.js';
  const plain = await get(path);
  expect(plain.headers).toMatchObject({ 'cache-control': 'public, max-age=31536000, immutable', vary: 'Accept-Encoding' });
  expect(plain.body.toString()).toBe(SCRIPT);
  const small = await get(path, { 'accept-encoding': 'gzip, deflate, br;q=1.0' });
  expect(small.headers).toMatchObject({ 'content-encoding': 'br', 'content-type': 'text/javascript; charset=utf-8' });
  expect(brotliDecompressSync(small.body).toString()).toBe(SCRIPT);
  expect((await get(path, { 'accept-encoding': 'br;q=0, gzip' })).headers['content-encoding']).toBe('gzip');
  expect((await get(path, { 'accept-encoding': 'identity' })).headers).not.toHaveProperty('content-encoding');
  expect(new Set([plain.headers.etag, small.headers.etag]).size).toBe(2);
});

test('paths that the pages make up get the page, files that are missing do not', async () => {
  const { get } = await site();
  expect((await get('/things/pump?x=1')).body.toString()).toBe(PAGE);
  expect((await get('/kiosk')).body.toString()).toBe('kiosk');
  expect((await get('/assets/gone-Ab3dEf9_.js')).status).toBe(404);
});

test.each([
  '/../secret.txt',
  '/assets/../../secret.txt',
  '/%2e%2e/secret.txt',
  '/..%2fsecret.txt',
  '/..%5csecret.txt',
  '/assets/..\\..\\secret.txt',
  '//etc/passwd.txt',
  '/link.txt',
  '/secret.txt%00.js',
  '/%zz',
  '/assets/index-Ab3dEf9_.js.gz',
])('nothing outside of the folder is given away: %s', async (path) => {
  const { get } = await site();
  const answer = await get(path);
  expect(answer.status).toBe(404);
  expect(answer.body.toString()).toBe('not-found');
});

test('HEAD has the headers only, other methods are refused', async () => {
  const { get } = await site();
  const head = await get('/', {}, 'HEAD');
  expect(head).toMatchObject({ status: 200, headers: { 'content-length': String(PAGE.length) } });
  expect(head.body).toHaveLength(0);
  expect(await get('/', {}, 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
});

test('a new build is seen without a restart', async () => {
  const { get, root } = await site();
  expect((await get('/new.svg')).status).toBe(404);
  writeFileSync(join(root, 'new.svg'), '<svg/>');
  writeFileSync(join(root, 'index.html'), 'new');
  utimesSync(join(root, 'index.html'), new Date(), new Date(Date.now() + 5000));
  expect((await get('/new.svg')).status).toBe(200);
  expect((await get('/')).body.toString()).toBe('new');
});

test('a web UI that is not built is told', async () => {
  const web = new WebUi(join(tmpdir(), 'ledge-no-such-folder'));
  await expect(web.serve({ url: '/', method: 'GET', headers: {} } as never, {} as never)).rejects.toMatchObject({ code: 'not-found' });
});
