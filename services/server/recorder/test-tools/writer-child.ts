import type { Clock } from '@ledge/kit';
import { memoryBus } from '@ledge/testing';
import pino from 'pino';
import { Registry } from 'prom-client';
import { createRecorder, recorderSettingsSchema } from '../index.ts';
import { sayReading } from './sensors.ts';

/**
 * Says readings to a recorder until it is killed, in time that runs `speed` times as fast, and tells each with its time on stdout.
 * `node writer-child.ts <directory> <first seq> <start ms> <speed>`
 */
const [dataDir = '', firstSeq = '0', startMs = '0', speed = '1'] = process.argv.slice(2);
const factor = Number(speed);
const clock: Clock = {
  now: () => Math.round(Number(startMs) + performance.now() * factor),
  monotonic: () => performance.now() * factor,
  sleep: () => Promise.reject(new Error('not needed here')),
  every: () => () => {},
  after(ms, task) {
    const timer = setTimeout(task, ms / factor);
    return () => clearTimeout(timer);
  },
};
const bus = memoryBus();
const log = pino({ level: 'silent' });
const settings = recorderSettingsSchema.parse({});
await createRecorder({ edge: 'ledge-test', bus, dataDir, clock, log, metrics: new Registry(), settings }).start();
let seq = Number(firstSeq);
setInterval(() => {
  for (let i = 0; i < 20; i++) {
    const atMs = clock.now();
    sayReading(bus, seq, atMs, seq);
    process.stdout.write(`${seq} ${atMs}\n`);
    seq++;
  }
}, 5);
