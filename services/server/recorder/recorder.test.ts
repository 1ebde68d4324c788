import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import type { HistoryPoint } from '@ledge/contract';
import { expect, test } from 'vitest';
import { PAGE_BYTES } from './frame.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './rollup.ts';
import { MAX_UNSAVED, SAVE_AFTER_MS } from './store.ts';
import { recorderRig } from './test-tools/rig.ts';
import { START, TEMPERATURE } from './test-tools/sensors.ts';

const DISK_FULL = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
const time = (ms: number) => new Date(START + ms).toISOString();

test('a reading is in the history at once, and still after a restart', async () => {
  const rig = await recorderRig();
  rig.say(7, 1000, 21.5);
  expect(await rig.raw()).toEqual([{ time: time(1000), value: 21.5, seq: 7 }]);
  await rig.restart();
  expect(await rig.raw()).toEqual([{ time: time(1000), value: 21.5, seq: 7 }]);
});

test('every reading is on the card within ten seconds', async () => {
  const rig = await recorderRig();
  rig.say(1, 0);
  await rig.pass(SAVE_AFTER_MS - 1);
  rig.say(2, 9000);
  await rig.pass(1);
  expect(SAVE_AFTER_MS).toBeLessThan(10_000);
  await rig.restart({ killed: true });
  expect((await rig.raw()).map(({ seq }) => seq)).toEqual([1, 2]);
});

test('a reading that comes again is dropped: from memory, from the card, and after a restart', async () => {
  const rig = await recorderRig();
  const again = () => {
    for (const seq of [1, 2, 4]) rig.say(seq, seq * 1000, seq, { replayed: true });
  };
  again();
  again();
  await rig.pass(SAVE_AFTER_MS);
  again();
  await rig.restart();
  again();
  rig.say(3, 3000, 3, { replayed: true });
  await rig.restart({ killed: true });
  again();
  expect((await rig.raw()).map(({ seq }) => seq)).toEqual([1, 2, 4]);
  expect(await rig.metric('duplicates_total')).toBe(3);
});

test('a property whose publisher counts from the start again goes on, and the old readings stay', async () => {
  const rig = await recorderRig();
  for (let seq = 0; seq < 100; seq++) rig.say(seq, seq * 1000);
  for (let seq = 0; seq < 10; seq++) rig.say(seq, 200_000 + seq * 1000);
  await rig.restart();
  for (let seq = 5; seq < 15; seq++) rig.say(seq, 200_000 + seq * 1000);
  expect((await rig.raw()).map(({ seq }) => seq)).toEqual([...Array(100).keys(), ...Array(15).keys()]);
  const day = await rig.recorder.query({ ...TEMPERATURE, fromMs: START, toMs: START + DAY_MS, points: 1, limit: 1 });
  expect(day.points[0]?.count).toBe(115);
});

test('what is no reading is counted, said once, and harms nothing', async () => {
  const rig = await recorderRig();
  const topic = 'ledge-test/reading/room/climate/temperature';
  const bad = [
    '',
    'twenty',
    '{}',
    '{"value":null,"time":"2026-03-01T10:00:00Z","seq":1,"replayed":false}',
    '{"value":1e999,"seq":1}',
    Buffer.from([0xff]),
  ];
  for (const payload of bad) rig.bus.receive(topic, payload);
  rig.say(1, 0);
  expect(await rig.raw()).toHaveLength(1);
  expect(await rig.metric('refused_total')).toBe(bad.length);
  expect(rig.lines.filter(({ level }) => level >= 40)).toHaveLength(1);
});

test('numbers, truths and texts come back as they were said', async () => {
  const rig = await recorderRig();
  const values = [1, 0.1 + 0.2, true, 'on', -3, '', false];
  for (const [seq, value] of values.entries()) rig.say(seq, seq * 1000, value);
  await rig.restart();
  expect((await rig.raw()).map(({ value }) => value)).toEqual(values);
});

test('a property without history is not found', async () => {
  const rig = await recorderRig();
  await expect(rig.raw({ property: 'humidity' })).rejects.toMatchObject({ code: 'not-found' });
});

test('without points the oldest readings of the span come first, as many as the limit', async () => {
  const rig = await recorderRig();
  for (let seq = 0; seq < 100; seq++) {
    rig.say(seq, seq * MINUTE_MS);
    if (seq % 10 === 0) await rig.pass(10 * MINUTE_MS);
  }
  rig.say(100, -HOUR_MS, 'late', { replayed: true });
  const span = { fromMs: START + 5 * MINUTE_MS, toMs: START + 50 * MINUTE_MS };
  expect((await rig.raw(span)).map(({ seq }) => seq)).toEqual(Array.from({ length: 46 }, (_, i) => i + 5));
  expect((await rig.raw({ ...span, limit: 3 })).map(({ seq }) => seq)).toEqual([5, 6, 7]);
  expect((await rig.raw({ limit: 2 })).map(({ seq }) => seq)).toEqual([100, 0]);
});

test('minutes and hours know count, smallest, largest and mean, before and after the hour is rolled up', async () => {
  const rig = await recorderRig();
  for (let minute = 0; minute < 90; minute++) {
    for (const second of [0, 20, 40]) rig.say(minute * 3 + second / 20, minute * MINUTE_MS + second * 1000, minute + second / 20);
    if (minute === 30) await rig.pass(SAVE_AFTER_MS);
  }
  const minutes = () => rig.recorder.query({ ...TEMPERATURE, fromMs: START, toMs: START + 12 * HOUR_MS, points: 720, limit: 1 });
  const hours = () => rig.recorder.query({ ...TEMPERATURE, fromMs: START, toMs: START + 30 * DAY_MS, points: 720, limit: 1 });
  const check = async () => {
    const byMinute = await minutes();
    expect(byMinute.resolution).toBe('minute');
    expect(byMinute.points).toHaveLength(90);
    expect(byMinute.points[5]).toEqual({ time: time(5 * MINUTE_MS), mean: 6, min: 5, max: 7, count: 3 });
    const byHour = await hours();
    expect(byHour).toEqual({
      resolution: 'hour',
      points: [
        { time: time(0), mean: 30.5, min: 0, max: 61, count: 180 },
        { time: time(HOUR_MS), mean: 75.5, min: 60, max: 91, count: 90 },
      ],
    });
  };
  await check();
  await rig.pass(HOUR_MS + MINUTE_MS);
  await check();
  await rig.restart();
  await check();
});

test('late readings correct minutes and hours that were rolled up long ago, also when the process is killed before the hour', async () => {
  const rig = await recorderRig();
  const hour = async () =>
    (await rig.recorder.query({ ...TEMPERATURE, fromMs: START, toMs: START + 30 * DAY_MS, points: 720, limit: 1 })).points[0];
  rig.say(1, 1000, 10);
  rig.say(3, 3000, 30);
  await rig.pass(5 * HOUR_MS);
  expect(await hour()).toMatchObject({ count: 2, mean: 20 });
  rig.say(2, 2000, 50, { replayed: true });
  expect(await hour()).toMatchObject({ count: 3, mean: 30, max: 50 });
  await rig.pass(SAVE_AFTER_MS);
  await rig.restart({ killed: true });
  expect(await hour()).toMatchObject({ count: 3, mean: 30, max: 50 });
  await rig.pass(2 * HOUR_MS);
  await rig.restart({ killed: true });
  expect(await hour()).toMatchObject({ count: 3, mean: 30, max: 50 });
});

test('a value that is no number is the last one of its point', async () => {
  const rig = await recorderRig();
  for (let seq = 0; seq < 120; seq++) rig.say(seq, seq * MINUTE_MS, seq % 2 === 0);
  const { points } = await rig.recorder.query({ ...TEMPERATURE, fromMs: START, toMs: START + 4 * HOUR_MS, points: 4, limit: 1 });
  expect(points).toEqual([
    { time: time(0), value: false, count: 60 },
    { time: time(HOUR_MS), value: false, count: 60 },
  ]);
});

test('each resolution is kept for its days, and answers for the finer one that is gone', async () => {
  const rig = await recorderRig({ settings: { rawDays: 2, minuteDays: 4, hourDays: 6 } });
  const oneHour = async () => {
    const result = await rig.recorder.query({ ...TEMPERATURE, fromMs: START, toMs: START + HOUR_MS, points: 60, limit: 1 });
    return { resolution: result.resolution, points: result.points.length };
  };
  rig.say(1, 0);
  rig.say(2, 30 * MINUTE_MS);
  await rig.pass(MINUTE_MS);
  expect(await oneHour()).toEqual({ resolution: 'raw', points: 2 });
  await rig.pass(3 * DAY_MS);
  expect(await rig.raw()).toEqual([]);
  expect(await oneHour()).toEqual({ resolution: 'minute', points: 2 });
  await rig.pass(2 * DAY_MS);
  expect(await oneHour()).toEqual({ resolution: 'hour', points: 1 });
  await rig.pass(3 * DAY_MS);
  expect(await oneHour()).toEqual({ resolution: 'hour', points: 0 });
});

test('all of a span comes out in order, in the finest resolution that reaches over it, and some at a time', async () => {
  const rig = await recorderRig({ settings: { rawDays: 2, minuteDays: 4, hourDays: 6 } });
  const taken = async (fromMs = 0) => {
    const { resolution, points } = rig.recorder.export({ ...TEMPERATURE, fromMs, toMs: 8e12 });
    const parts: HistoryPoint[][] = [];
    for await (const part of points) parts.push(part);
    return { resolution, parts: parts.length, points: parts.flat().map(({ time, value, mean }) => [time, value ?? mean]) };
  };
  expect(() => rig.recorder.export({ thing: 'room', node: 'climate', property: 'ghost', fromMs: 0, toMs: 1 })).toThrow(/no history/);
  for (let minute = 0; minute < 180; minute++) {
    rig.say(minute, minute * MINUTE_MS, minute);
    if (minute % 10 === 0) await rig.pass(10 * MINUTE_MS);
  }
  rig.say(1000, -5 * MINUTE_MS, -5, { replayed: true });
  const raw = await taken();
  expect(raw).toMatchObject({
    resolution: 'raw',
    points: [[time(-5 * MINUTE_MS), -5], ...Array.from({ length: 180 }, (_, i) => [time(i * MINUTE_MS), i])],
  });
  expect(raw.parts).toBeGreaterThan(1);
  await rig.pass(3 * DAY_MS);
  rig.say(2000, 3 * DAY_MS, 7);
  const minutes = await taken();
  expect(minutes).toMatchObject({ resolution: 'minute', parts: 2 });
  expect(minutes.points).toHaveLength(182);
  expect(minutes.points.at(-1)).toEqual([time(3 * DAY_MS), 7]);
  expect(await taken(START + 2 * DAY_MS)).toMatchObject({ resolution: 'raw', points: [[time(3 * DAY_MS), 7]] });
  await rig.pass(2 * DAY_MS);
  expect((await taken()).points.map(([at]) => at)).toEqual([-HOUR_MS, 0, HOUR_MS, 2 * HOUR_MS, 72 * HOUR_MS].map(time));
  expect(await taken()).toMatchObject({ resolution: 'hour' });
});

test('when history is larger than allowed, the oldest readings go first', async () => {
  const rig = await recorderRig({ settings: { maxHistoryMb: 16 } });
  let seq = 0;
  // texts that do not compress: a quarter of a megabyte an hour
  const noise = (n: number) =>
    Array.from({ length: 400 }, (_, i) =>
      Math.sin(n * 400 + i)
        .toString(36)
        .slice(4, 12),
    ).join('');
  for (let hour = 0; hour < 80; hour++) {
    for (let i = 0; i < 100; i++) rig.say(seq, hour * HOUR_MS + i * 1000, noise(seq++));
    await rig.pass(HOUR_MS);
  }
  const kept = await rig.raw();
  expect(kept.at(-1)?.seq).toBe(seq - 1);
  expect(kept[0]?.seq).toBeGreaterThan(0);
  expect(await rig.metric('bytes')).toBeLessThan(16_500_000);
  expect(await rig.metric('bytes')).toBeGreaterThan(15_000_000);
});

test('a full disk is said once; readings wait, more than fit are counted, and all is saved when there is room again', async () => {
  const rig = await recorderRig();
  rig.disk.failure = DISK_FULL;
  for (let seq = 0; seq < 100; seq++) {
    rig.say(seq, seq * 1000);
    await rig.pass(1000);
  }
  expect(() => rig.recorder.check()).not.toThrow();
  expect(await rig.raw()).toHaveLength(100);
  for (let seq = 100; seq < MAX_UNSAVED + 10; seq++) rig.say(seq, seq * 1000);
  expect(await rig.metric('dropped_total')).toBe(10);
  rig.disk.failure = undefined;
  await rig.pass(SAVE_AFTER_MS);
  expect(rig.lines.filter(({ level }) => level >= 50)).toHaveLength(1);
  expect(rig.lines.at(-1)).toMatchObject({ msg: 'history is saved again', dropped: 10 });
  await rig.restart({ killed: true });
  expect(await rig.raw({ limit: 200_000 })).toHaveLength(MAX_UNSAVED);
});

test('a frame that a power cut tore is cut off, at whatever byte, and what follows is written behind the last good one', async () => {
  const rig = await recorderRig();
  rig.say(1, 0);
  await rig.pass(SAVE_AFTER_MS);
  rig.say(2, 10_000);
  await rig.pass(SAVE_AFTER_MS);
  const directory = `${rig.dataDir}/history/raw`;
  const [segment] = await readdir(directory);
  const bytes = await readFile(`${directory}/${segment}`);
  for (const cut of [PAGE_BYTES, PAGE_BYTES + 1, PAGE_BYTES + 31, PAGE_BYTES + 40]) {
    await writeFile(`${directory}/${segment}`, bytes);
    await truncate(`${directory}/${segment}`, cut);
    await rig.restart({ killed: true });
    expect((await rig.raw()).map(({ seq }) => seq)).toEqual([1]);
    expect((await readFile(`${directory}/${segment}`)).length).toBe(PAGE_BYTES);
  }
  rig.say(2, 10_000);
  await rig.restart();
  expect((await rig.raw()).map(({ seq }) => seq)).toEqual([1, 2]);
});

test.each([
  ['is no database', (bytes: Buffer) => bytes.fill('x')],
  ['has a broken page', (bytes: Buffer) => bytes.fill(0xff, 4096)],
  ['is empty', () => Buffer.alloc(0)],
])('when history.db %s it is set aside and made anew from the raw readings', async (_, damage) => {
  const rig = await recorderRig();
  for (let seq = 0; seq < 200; seq++) rig.say(seq, seq * MINUTE_MS, seq);
  await rig.pass(5 * HOUR_MS);
  const query = () => rig.recorder.query({ ...TEMPERATURE, fromMs: START, toMs: START + 5 * HOUR_MS, points: 100, limit: 1 });
  const before = await query();
  await rig.recorder.stop();
  const path = `${rig.dataDir}/history/history.db`;
  await writeFile(path, damage(await readFile(path)));
  await rig.restart({ killed: true });
  rig.say(199, 199 * MINUTE_MS, 199, { replayed: true });
  expect(await query()).toEqual(before);
  expect(await rig.raw()).toHaveLength(200);
});

test('history.db that breaks while it runs is made anew within the hour', async () => {
  const rig = await recorderRig();
  for (let seq = 0; seq < 200; seq++) rig.say(seq, seq * MINUTE_MS, seq);
  await rig.pass(5 * HOUR_MS);
  const path = `${rig.dataDir}/history/history.db`;
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(0xff, 4096));
  rig.say(200, 5 * HOUR_MS, 200);
  await rig.pass(2 * HOUR_MS);
  const { points } = await rig.recorder.query({ ...TEMPERATURE, fromMs: START, toMs: START + 24 * HOUR_MS, points: 24, limit: 1 });
  expect(points.reduce((sum, { count }) => sum + (count ?? 0), 0)).toBe(201);
});

test('every segment names its series, so that the newest are enough to make history.db anew', async () => {
  const rig = await recorderRig();
  for (let seq = 0; seq < 3; seq++) {
    rig.say(seq, seq * 2 * HOUR_MS);
    await rig.pass(2 * HOUR_MS);
  }
  await rig.recorder.stop();
  const [oldest] = (await readdir(`${rig.dataDir}/history/raw`)).sort();
  await rm(`${rig.dataDir}/history/raw/${oldest}`);
  await rm(`${rig.dataDir}/history/history.db`);
  await rig.restart({ killed: true });
  expect((await rig.raw()).map(({ seq }) => seq)).toEqual([1, 2]);
});

test('a clock that was set back loses nothing', async () => {
  const rig = await recorderRig();
  rig.say(1, 0);
  await rig.pass(2 * HOUR_MS);
  rig.clock.setWallClock(0);
  rig.say(2, -START + 1000);
  await rig.pass(SAVE_AFTER_MS);
  await rig.restart({ killed: true });
  rig.say(2, -START + 1000);
  expect((await rig.raw()).map(({ seq }) => seq)).toEqual([2, 1]);
});

test('readings that cannot be saved for a minute without a reason make it unwell', async () => {
  const rig = await recorderRig();
  const never = new Promise<void>(() => {});
  rig.disk.hang = never;
  rig.say(1, 0);
  await rig.clock.advance(SAVE_AFTER_MS);
  expect(() => rig.recorder.check()).not.toThrow();
  await rig.clock.advance(MINUTE_MS);
  expect(() => rig.recorder.check()).toThrow('have waited 70 s');
  rig.abandon();
});
