import { expect, test } from 'vitest';
import { decide, type Situation, settings } from './rule.ts';

const usual = settings.parse({});
const MINUTE_MS = 60_000;
/** A dry afternoon an hour after the last move, and what is said otherwise. */
const at = (given: Partial<Situation>): Situation => ({
  ...{ nowMs: 60 * MINUTE_MS, moisturePercent: 20, rainMmPerHour: 0, isOpen: false, movedMs: undefined, askedUntilMs: 0 },
  ...given,
});
const open = (given: Partial<Situation>) => decide(at(given), usual).open;

test('dry soil opens the valve, and it stays open until the soil has enough', () => {
  expect(open({ moisturePercent: 29 })).toBe(true);
  expect(open({ moisturePercent: 31 })).toBe(false);
  const watering = { isOpen: true, movedMs: 50 * MINUTE_MS };
  expect(open({ ...watering, moisturePercent: 44 })).toBe(true);
  expect(open({ ...watering, moisturePercent: 45 })).toBe(false);
});

test('rain closes it at once, without a look at the hold time', () => {
  const justOpened = { isOpen: true, movedMs: 60 * MINUTE_MS - 1 };
  expect(open({ ...justOpened, rainMmPerHour: 0.9 })).toBe(true);
  expect(open({ ...justOpened, rainMmPerHour: 1 })).toBe(false);
});

test('it is not moved twice within the hold time', () => {
  expect(open({ movedMs: 60 * MINUTE_MS - 299_000 })).toBe(false);
  expect(open({ movedMs: 60 * MINUTE_MS - 300_000 })).toBe(true);
  expect(open({ isOpen: true, movedMs: 60 * MINUTE_MS - 299_000, moisturePercent: 90 })).toBe(true);
});

test('no watering is longer than the longest', () => {
  expect(open({ isOpen: true, movedMs: 41 * MINUTE_MS })).toBe(true);
  expect(open({ isOpen: true, movedMs: 40 * MINUTE_MS })).toBe(false);
});

test('without a word of the soil it does not water; without a rain gauge it does', () => {
  expect(open({ moisturePercent: undefined })).toBe(false);
  expect(open({ isOpen: true, moisturePercent: undefined })).toBe(false);
  expect(open({ rainMmPerHour: undefined })).toBe(true);
});

test('whoever asks for water gets it, wet or rainy, for as long as was asked', () => {
  expect(open({ moisturePercent: 90, rainMmPerHour: 9, askedUntilMs: 61 * MINUTE_MS })).toBe(true);
  expect(open({ moisturePercent: 90, isOpen: true, askedUntilMs: 60 * MINUTE_MS })).toBe(false);
});

test('limits that are the wrong way round do not make it flutter', () => {
  const wrong = settings.parse({ dryPercent: 50, wetPercent: 20 });
  const watering = at({ isOpen: true, movedMs: 50 * MINUTE_MS });
  expect(decide({ ...watering, moisturePercent: 40 }, wrong).open).toBe(true);
  expect(decide({ ...watering, moisturePercent: 50 }, wrong).open).toBe(false);
});

test('it says why, with the figures', () => {
  expect(decide(at({}), usual)).toEqual({ open: true, why: 'the soil has 20 %, which is dry' });
  expect(decide(at({ rainMmPerHour: 3.456 }), usual)).toEqual({ open: false, why: 'it rains, 3.5 mm/h' });
});
