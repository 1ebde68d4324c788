import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { recorderRig, temporaryDirectory } from './test-tools/rig.ts';
import { START, seededRandom } from './test-tools/sensors.ts';

const child = (file: string, args: readonly (string | number)[]) =>
  spawn(process.execPath, [join(import.meta.dirname, 'test-tools', file), ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });

const BUDGET_BYTES_A_DAY = 50_000_000;

test.runIf(process.platform === 'linux')('100 readings a second write less than 50 MB a day, as the kernel counts them', async () => {
  const directory = await temporaryDirectory();
  await mkdir(`${directory}/raw`);
  const hours = 3;
  const run = child('day-child.ts', [directory, hours]);
  const [said] = await once(createInterface(run.stdout), 'line');
  const { written, readings } = JSON.parse(said);
  expect(readings).toBe(hours * 360_000);
  const aDay = (written / hours) * 24;
  console.info(`${(aDay / 1e6).toFixed(1)} MB/day, ${(written / readings).toFixed(2)} bytes a reading`);
  expect(aDay).toBeLessThan(BUDGET_BYTES_A_DAY);
});

test('kill -9 at any moment loses at most ten seconds and spoils nothing, time after time', async () => {
  const rig = await recorderRig();
  await rig.recorder.stop();
  const random = seededRandom(21);
  const speed = 20;
  let firstSeq = 0;
  let startMs = START;
  for (let round = 0; round < 6; round++) {
    const writer = child('writer-child.ts', [rig.dataDir, firstSeq, startMs, speed]);
    const killAfter = 200 + Math.floor(random() * 6000);
    let last = { seq: 0, atMs: 0 };
    const saidAt = new Map<number, number>();
    for await (const line of createInterface(writer.stdout)) {
      const [seq = 0, atMs = 0] = line.split(' ').map(Number);
      last = { seq, atMs };
      saidAt.set(seq, atMs);
      if (saidAt.size === killAfter) writer.kill('SIGKILL');
    }
    rig.clock.setWallClock(last.atMs);
    await rig.restart({ killed: true });
    const kept = (await rig.raw({ fromMs: startMs })).map(({ seq }) => seq ?? -1).filter((seq) => seq >= firstSeq);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => firstSeq + i));
    const mustBeKept = [...saidAt].filter(([, atMs]) => atMs <= last.atMs - 10_000);
    expect(kept.length).toBeGreaterThanOrEqual(mustBeKept.length);
    const { points } = await rig.recorder.query({ ...rig.address, fromMs: START, toMs: last.atMs + 1, points: 1, limit: 1 });
    firstSeq += kept.length;
    expect(points[0]?.count ?? points.length).toBe(firstSeq);
    await rig.recorder.stop();
    startMs = last.atMs + 1000;
  }
  expect(firstSeq).toBeGreaterThan(1000);
});
