import { expect, test } from 'vitest';
import { Batch, samplesOf } from './batch.ts';
import { decodeFrame, encodeFrame, frameAt, framesIn, PAGE_BYTES } from './frame.ts';

import { START, seededRandom, TEMPERATURE } from './test-tools/sensors.ts';

function randomBatch(seed: number): Batch {
  const random = seededRandom(seed);
  const batch = new Batch();
  const seriesCount = 1 + Math.floor(random() * 20);
  for (let i = 0; i < random() * 500; i++) {
    const series = Math.floor(random() * seriesCount) + 1;
    const value =
      series % 5 === 0 ? random() < 0.5 : series % 7 === 0 ? `mode ${Math.floor(random() * 3)}` : Number((random() * 100).toFixed(2));
    batch.add(series, { atMs: START + i * 100 + Math.floor(random() * 5000) - 2500, seq: Math.floor(random() * 1e6), value });
  }
  batch.add(1, { atMs: START, seq: 1, value: 1 });
  return batch;
}

const names = new Map([[1, TEMPERATURE]]);

test('a frame gives back every reading, its names, and the span of its times', () => {
  for (let seed = 0; seed < 300; seed++) {
    const batch = randomBatch(seed);
    const frame = frameAt(encodeFrame(batch, names), 0);
    if (!frame) expect.fail('no frame was found');
    expect(frame).toMatchObject({ count: batch.count, firstMs: batch.firstMs, lastMs: batch.lastMs });
    expect(decodeFrame(frame)).toEqual({ names, columns: batch.columns });
  }
});

test('only the wanted series is decoded', () => {
  const batch = randomBatch(3);
  const frame = frameAt(encodeFrame(batch, names), 0);
  if (!frame) expect.fail('no frame was found');
  const { columns } = decodeFrame(frame, new Set([1]));
  expect([...columns.keys()]).toEqual([1]);
  expect(samplesOf(columns.get(1))).toEqual(batch.samples(1));
});

test('frames fill whole pages, so that none is written twice', () => {
  for (let seed = 0; seed < 50; seed++) expect(encodeFrame(randomBatch(seed), names).length % PAGE_BYTES).toBe(0);
});

test('a frame that was cut at any byte is not taken for a frame, and those before it stay', () => {
  const first = encodeFrame(randomBatch(1), names);
  const second = encodeFrame(randomBatch(2), new Map());
  const payloadEnd = second.length - [...second].reverse().findIndex((byte) => byte !== 0);
  for (let cut = 0; cut < payloadEnd; cut++) {
    const found = [...framesIn(Buffer.concat([first, second.subarray(0, cut)]))];
    if (found.length !== 1) expect.fail(`${found.length} frames were found after a cut at byte ${cut}`);
  }
});

test('a flipped bit anywhere loses that frame only', () => {
  const frames = [1, 2, 3].map((seed) => encodeFrame(randomBatch(seed), names));
  const [first, second] = frames;
  if (!first || !second) expect.fail('three frames are wanted');
  const payloadEnd = second.length - [...second].reverse().findIndex((byte) => byte !== 0);
  for (let at = 0; at < payloadEnd; at += 7) {
    const segment = Buffer.concat(frames);
    const byte = first.length + at;
    segment[byte] = (segment[byte] ?? 0) ^ (1 << (at % 8));
    const offsets = [...framesIn(segment)].map((frame) => frame.offset);
    expect(offsets).toEqual([0, first.length + second.length]);
  }
});
