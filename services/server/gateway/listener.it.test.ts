import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fakeClock } from '@ledge/testing';
import { expect, onTestFinished, test } from 'vitest';
import { PublicListener } from './listener.ts';

const WINDOW_MS = 30_000;

async function open() {
  const clock = fakeClock();
  const bytes = new Map<string, number>();
  const arrived = new EventEmitter();
  const received = async (path: string, count: number) => {
    while ((bytes.get(path) ?? 0) < count) await once(arrived, 'data');
  };
  const listener = new PublicListener({
    host: '127.0.0.1',
    port: 0,
    clock,
    request: (incoming, response) => {
      incoming.on('error', () => {});
      if (incoming.url === '/stream') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');
        return;
      }
      if (incoming.url === '/slow-service') return; // takes nothing from the body
      const path = incoming.url ?? '';
      incoming.on('data', (part: Buffer) => {
        bytes.set(path, (bytes.get(path) ?? 0) + part.length);
        arrived.emit('data');
      });
      incoming.once('end', () => response.end('taken'));
    },
    upgrade: (_incoming, socket) => void socket.destroy(),
  });
  await listener.start();
  onTestFinished(() => listener.stop());
  const send = async (text: string): Promise<Socket> => {
    const socket = connect(listener.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };
  return { clock, send, received };
}

const answerOf = async (socket: Socket): Promise<string> => String(((await once(socket, 'data')) as [Buffer])[0]);

test('headers that drip are cut after ten seconds', { timeout: 20_000 }, async () => {
  const { send } = await open();
  const socket = await send('GET / HTTP/1.1\r\nHost: a\r\n');
  const started = performance.now();
  const drip = setInterval(() => socket.write('X: y\r\n'), 500);
  onTestFinished(() => clearInterval(drip));
  const answer = await answerOf(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 400[\s\S]*did not come within 10 s/);
  expect(performance.now() - started).toBeLessThan(14_000);
});

test('a connection that never said anything is closed without a word', { timeout: 20_000 }, async () => {
  const { send } = await open();
  const socket = await send('');
  const said: Buffer[] = [];
  socket.on('data', (part: Buffer) => said.push(part));
  await once(socket, 'close');
  expect(Buffer.concat(said).toString()).toBe('');
});

test('a body that drips is cut, one that moves is not', async () => {
  const { clock, send, received } = await open();
  const put = (path: string) => send(`PUT ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx`);
  const [dripping, moving] = [await put('/dripping'), await put('/moving')];
  const closed = new Promise<void>((resolve) => dripping.once('close', () => resolve()));
  await Promise.all([received('/dripping', 1), received('/moving', 1)]);
  moving.write('x'.repeat(50_000));
  await received('/moving', 50_001);
  await clock.advance(WINDOW_MS);
  dripping.write('x');
  moving.write('x'.repeat(49_999));
  await received('/moving', 100_000);
  await clock.advance(WINDOW_MS);
  await closed;
  expect(await answerOf(moving)).toContain('taken');
  moving.destroy();
});

test('a stream that is silent, and an upload that waits for a slow service, stay open', async () => {
  const { clock, send } = await open();
  const stream = await send('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n');
  await answerOf(stream);
  const upload = await send(`PUT /slow-service HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(50_000)}`);
  const after = await send('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n');
  await answerOf(after); // so the upload has arrived as well
  await clock.advance(20 * WINDOW_MS);
  stream.write('x');
  expect(stream.destroyed || stream.readableEnded).toBe(false);
  expect(upload.destroyed || upload.readableEnded).toBe(false);
  for (const socket of [stream, upload, after]) socket.destroy();
});
