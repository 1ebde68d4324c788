import { expect, test } from 'vitest';
import { chooseResolution, pointGrid, Thinner } from './query.ts';
import { DAY_MS, grid, HOUR_MS, MINUTE_MS } from './rollup.ts';
import { recorderSettingsSchema } from './settings.ts';
import { START, seededRandom } from './test-tools/sensors.ts';

const settings = recorderSettingsSchema.parse({});
const ending = (spanMs: number, nowMs = START) => ({ fromMs: nowMs - spanMs, toMs: nowMs });

test.each([
  ['the last two hours', 2 * HOUR_MS, 300, 'raw'],
  ['a day with points narrower than a minute', DAY_MS, 2000, 'raw'],
  ['a day', DAY_MS, 300, 'minute'],
  ['a week', 7 * DAY_MS, 300, 'minute'],
  ['a month with points narrower than an hour', 30 * DAY_MS, 1000, 'minute'],
  ['a month', 30 * DAY_MS, 300, 'hour'],
  ['a year', 365 * DAY_MS, 5000, 'hour'],
])('%s is read from the resolution that is fine and quick enough', (_, spanMs, points, wanted) => {
  expect(chooseResolution(ending(spanMs), points, START, settings)).toBe(wanted);
});

test('where single readings are gone, minutes answer, and where minutes are gone, hours', () => {
  expect(chooseResolution(ending(HOUR_MS, START - 8 * DAY_MS), 300, START, settings)).toBe('minute');
  expect(chooseResolution(ending(HOUR_MS, START - 70 * DAY_MS), 300, START, settings)).toBe('hour');
});

test('never more points than asked for, and each time of the span has its point', () => {
  const random = seededRandom(11);
  for (let round = 0; round < 2000; round++) {
    const fromMs = START + Math.floor(random() * DAY_MS);
    const toMs = fromMs + Math.floor(random() ** 3 * 400 * DAY_MS);
    const points = 1 + Math.floor(random() * 500);
    const width = [1, MINUTE_MS, HOUR_MS][Math.floor(random() * 3)] ?? 1;
    const toPoint = pointGrid({ fromMs, toMs }, points, width);
    const first = toPoint(grid(width)(fromMs));
    const last = toPoint(toMs);
    const step = toPoint(8e15) - toPoint(8e15 - 1) || Number.POSITIVE_INFINITY;
    expect((last - first) % width).toBe(0);
    const starts = new Set(
      Array.from({ length: 3 * points }, (_, i) => toPoint(fromMs + Math.floor(((toMs - fromMs) * i) / (3 * points)))),
    );
    expect(starts.size).toBeLessThanOrEqual(points);
    expect(step).toBeGreaterThan(0);
  }
});

test('few readings stay as they are; many become points that hold them all', () => {
  const span = { fromMs: START, toMs: START + HOUR_MS };
  const few = new Thinner(10, pointGrid(span, 10, 1));
  few.add({ atMs: START + 2, seq: 2, value: 1.5 });
  few.add({ atMs: START + 1, seq: 1, value: 'off' });
  expect(few.result()).toEqual([
    { time: '2026-03-01T10:00:00.001Z', value: 'off', seq: 1 },
    { time: '2026-03-01T10:00:00.002Z', value: 1.5, seq: 2 },
  ]);
  const many = new Thinner(10, pointGrid(span, 10, 1));
  for (let i = 0; i <= 3600; i++) many.add({ atMs: START + i * 1000, seq: i, value: i });
  const points = many.result();
  expect(points.length).toBe(10);
  expect(points[0]).toEqual({ time: '2026-03-01T10:00:00.000Z', mean: 179.5, min: 0, max: 359, count: 360 });
  expect(points.reduce((sum, point) => sum + (point.count ?? 0), 0)).toBe(3601);
});
