import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@ledge/kit';
import { expect, onTestFinished, test } from 'vitest';
import { http } from './http.ts';
import { environment, never, open, readOne } from './test-tools.ts';

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
/** An address where a server was and is no more. */
async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}
const real = () => environment({ fetch: globalThis.fetch, clock: systemClock });
const power = { datatype: 'float' as const, settable: true, source: { value: 'power', write: { body: { power: '{value}' } } } };

test('a real server is read and set', async () => {
  let value = 5;
  const url = await serve((request, response) => {
    if (request.method === 'GET') return response.end(JSON.stringify({ power: value }));
    request.on('data', (body) => {
      value = JSON.parse(String(body)).power;
      response.end();
    });
  });
  const thing = await open(http, { options: { url }, properties: { power } }, real());
  expect(await readOne(thing, 'power')).toBe(5);
  await thing.write('power', 7, never());
  expect(await readOne(thing, 'power')).toBe(7);
});

test('a real redirect is followed, and an endless answer is cut off', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/') return response.writeHead(302, { location: '/there' }).end();
    if (request.url === '/there') return response.end('{"power": 1}');
    const write = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536))) {}
      response.once('drain', write);
    };
    write();
  });
  const thing = await open(http, { options: { url }, properties: { power } }, real());
  expect(await readOne(thing, 'power')).toBe(1);
  const endless = await open(http, { options: { url: `${url}/endless` }, properties: { power } }, real());
  expect(await readOne(endless, 'power')).toMatch(/more than 1048576 bytes/);
});

test('a port where nobody listens, and a server that says nothing, are told', async () => {
  const nobody = await open(http, { options: { url: await freeAddress() }, properties: { power } }, real());
  expect(await readOne(nobody, 'power')).toMatch(/^fault: http:\/\/127\.0\.0\.1:\d+\/ refuses the connection$/);
  const url = await serve(() => {});
  const silent = await open(http, { options: { url, timeout: '100ms' }, properties: { power } }, real());
  expect(await readOne(silent, 'power')).toBe(`fault: ${url}/ did not answer within 0.1 s`);
});
