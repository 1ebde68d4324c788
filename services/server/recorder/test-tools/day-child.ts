import { readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { fakeClock } from '@ledge/testing';
import pino from 'pino';
import { Catalogue } from '../catalogue.ts';
import { diskFiles, type Files } from '../files.ts';
import { recorderSettingsSchema } from '../settings.ts';
import { Store } from '../store.ts';
import { START, seededRandom, sensor } from './sensors.ts';

/**
 * Lives some hours of 100 sensors, one reading a second each, by a fake clock on a real directory, and says as JSON what that wrote.
 * A process of its own, because the system counts bytes by process: `node day-child.ts <directory> <hours>`.
 */
const SERIES = 100;
const [directory = '', hours = '1'] = process.argv.slice(2);
const seconds = Number(hours) * 3600;

let busy = 0;
async function counted<T>(work: Promise<T>): Promise<T> {
  busy++;
  return work.finally(() => busy--);
}
/** The clock is fake and the disk is not: time stands still while it writes. */
const files: Files = {
  ...diskFiles,
  create: (path) => counted(createCounted(path)),
};
async function createCounted(path: string) {
  const file = await diskFiles.create(path);
  return {
    ...file,
    write: (data: Buffer, position: number) => counted(file.write(data, position)),
    sync: () => counted(file.sync()),
  };
}

async function bytesWritten(): Promise<number> {
  return Number(/^wchar: (\d+)$/m.exec(await readFile('/proc/self/io', 'utf8'))?.[1]);
}

const clock = fakeClock(START);
const catalogue = new Catalogue();
const store = new Store({
  directory,
  files,
  clock,
  catalogue,
  log: pino({ level: 'warn' }, process.stderr),
  settings: () => recorderSettingsSchema.parse({}),
  onDropped: () => {},
});
await store.start();
const random = seededRandom(1);
const sensors = Array.from({ length: SERIES }, (_, i) => ({
  series: catalogue.add({ thing: `thing-${i}`, node: 'climate', property: 'value' }),
  read: sensor(i, random),
}));
const before = await bytesWritten();
for (let second = 0; second < seconds; second++) {
  for (const [i, { series, read }] of sensors.entries()) {
    store.add(series, { atMs: START + second * 1000 + i * 7 + Math.floor(random() * 8), seq: 40_000 + second, value: read(second) });
  }
  await clock.advance(1000);
  do await turn();
  while (busy > 0);
}
const kept = store.bytes;
await store.stop();
process.stdout.write(`${JSON.stringify({ written: (await bytesWritten()) - before, kept, readings: SERIES * seconds })}\n`);
