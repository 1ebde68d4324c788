/**
 * Messages per second through our engine, bare aedes and mosquitto, over loopback with plain sockets.
 * `node services/broker/bench.ts [seconds]`. Compare the ratios; the figures depend on the machine and on what else runs there.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ackFrame, FrameCutter, packetType, parsePublish, publishFrame, TYPE, withId } from './frames.ts';
import { freePort } from './test-support.ts';

const SECONDS = Number(process.argv[2] ?? 4);
const WARM_UP_MS = 700;
const PAYLOAD = Buffer.alloc(64, 'x');
const WINDOW = 100;
const BURST = 256;

const connectFrame = (clientId: string) => {
  const id = Buffer.from(clientId);
  const body = Buffer.concat([Buffer.from([0, 4]), Buffer.from('MQTT'), Buffer.from([4, 2, 0, 0, 0, id.length]), id]);
  return Buffer.concat([Buffer.from([TYPE.connect << 4, body.length]), body]);
};
const subscribeFrame = (filter: string, qos: number) => {
  const bytes = Buffer.from(filter);
  return Buffer.concat([Buffer.from([0x82, bytes.length + 5, 0, 1, 0, bytes.length]), bytes, Buffer.from([qos])]);
};

async function client(port: number, id: string, onFrame: (frame: Buffer, socket: Socket) => void): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const cutter = new FrameCutter();
  socket.on('error', () => {});
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      cutter.push(chunk);
      socket.cork();
      for (let frame = cutter.next(1e9); frame; frame = cutter.next(1e9)) {
        if (packetType(frame) === TYPE.connack) resolve();
        else onFrame(frame, socket);
      }
      socket.uncork();
    });
    socket.write(connectFrame(id));
  });
  return socket;
}

interface Result {
  perSecond: number;
  rssMiB: number;
}

async function measure(port: number, pid: number, publishers: number, qos: 0 | 1): Promise<Result> {
  let received = 0;
  const subscriber = await client(port, 'subscriber', (frame, socket) => {
    if (packetType(frame) !== TYPE.publish) return;
    received += 1;
    if (qos === 1) socket.write(ackFrame(TYPE.puback, parsePublish(frame).id));
  });
  subscriber.write(subscribeFrame('bench/#', qos));
  await sleep(200);
  let stopped = false;
  const sockets: Socket[] = [subscriber];
  for (let i = 0; i < publishers; i++) {
    const template = publishFrame(`bench/${i}`, PAYLOAD, qos, false);
    const burst = Buffer.concat(Array.from({ length: BURST }, () => template));
    let id = 0;
    const one = () => {
      id = (id % 65_535) + 1;
      return withId(template, id, false);
    };
    const socket = await client(port, `publisher-${i}`, (frame, from) => {
      if (qos === 1 && packetType(frame) === TYPE.puback && !stopped) from.write(one());
    });
    sockets.push(socket);
    const blast = () => {
      while (!stopped && socket.write(burst));
    };
    if (qos === 0) {
      socket.on('drain', () => setImmediate(blast));
      blast();
    } else for (let n = 0; n < WINDOW; n++) socket.write(one());
  }
  await sleep(WARM_UP_MS);
  const before = received;
  const startMs = performance.now();
  await sleep(SECONDS * 1000);
  const perSecond = ((received - before) * 1000) / (performance.now() - startMs);
  const rssMiB = await residentMiB(pid);
  stopped = true;
  for (const socket of sockets) socket.destroy();
  await sleep(500);
  return { perSecond, rssMiB };
}

async function residentMiB(pid: number): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

const OURS = `
import { AedesEngine } from '${new URL('./engine-aedes.ts', import.meta.url)}';
import { RecordingHost, silent, testSettings } from '${new URL('./test-support.ts', import.meta.url)}';
import { systemClock } from '${import.meta.resolve('@ledge/kit')}';
const settings = { ...testSettings(), port: Number(process.argv[2]), messagesPerSecond: 0 };
await new AedesEngine(process.argv[3], () => settings, () => Promise.reject(), new RecordingHost(), { clock: systemClock, log: silent }).start();
`;
const BARE = `
import { createServer } from 'node:net';
import { Aedes } from '${import.meta.resolve('aedes')}';
const broker = await Aedes.createBroker();
createServer(broker.handle).listen(Number(process.argv[2]), '127.0.0.1');
`;

function start(engine: string, port: number, dir: string): ChildProcess {
  const quiet: SpawnOptions = { stdio: ['ignore', 'ignore', 'inherit'] };
  if (engine === 'mosquitto') {
    const file = join(dir, 'mosquitto.conf');
    writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nlog_type none\nmax_queued_messages 20000\n`);
    return spawn('mosquitto', ['-c', file], quiet);
  }
  const file = join(dir, `${engine}.mjs`);
  writeFileSync(file, engine === 'ours' ? OURS : BARE);
  return spawn(process.execPath, [file, String(port), join(dir, 'sessions.db')], quiet);
}

const CASES = [
  { name: 'QoS 0, 1 to 1', publishers: 1, qos: 0 },
  { name: 'QoS 0, 50 to 1', publishers: 50, qos: 0 },
  { name: 'QoS 1, 1 to 1', publishers: 1, qos: 1 },
] as const;

for (const { name, publishers, qos } of CASES) {
  for (const engine of ['aedes', 'ours', 'mosquitto']) {
    const dir = mkdtempSync(join(tmpdir(), 'ledge-bench-'));
    const port = await freePort();
    const child = start(engine, port, dir);
    let died = false;
    child.once('exit', () => {
      died = true;
    });
    await sleep(1500);
    const result = await Promise.race([measure(port, child.pid ?? 0, publishers, qos), sleep(SECONDS * 1000 + 10_000)]);
    const figures = result ? `${Math.round(result.perSecond)} messages/s, ${Math.round(result.rssMiB)} MiB` : 'no result';
    console.log(`${name.padEnd(16)} ${engine.padEnd(10)} ${figures}${died ? ', and it died' : ''}`);
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
}
process.exit(0);
