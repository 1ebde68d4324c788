import type { Value } from '@ledge/contract';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Values whose first `MAX_DECIMALS` decimals say them exactly are kept as whole numbers. */
const MAX_DECIMALS = 9;
const POWERS = Array.from({ length: MAX_DECIMALS + 1 }, (_, decimals) => 10 ** decimals);
/** Differences of these, and lines through them, are still exact. */
const MAX_SCALED = 2 ** 51;

const RUN = 16;
/** Sixteen steps of it still fit. */
const MAX_SLOPE = 2 ** 46;

const AS_DOUBLES = 255;
const NUMBERS = 0;
const BOOLEANS = 1;
const JSON_TEXT = 2;

/**
 * Whole numbers (|n| ≤ 2^51) in runs of sixteen. A run is the line that its ends suggest, or a level one where that fits better, and how far
 * each number lies above it, in as few bits as the farthest needs: noise costs its own width, even steps cost nothing.
 */
export function writeIntegers(to: ByteWriter, values: readonly number[]): void {
  for (let at = 0; at < values.length; at += RUN) {
    const run = values.slice(at, at + RUN);
    const level = fitted(run, 0);
    const sloped = fitted(run, slopeOf(run));
    const { slope, base, width, above } = sloped.width < level.width ? sloped : level;
    to.signed(slope);
    to.signed(base);
    to.byte(width);
    to.packed(above, width);
  }
}

export function readIntegers(from: ByteReader, count: number): number[] {
  const values: number[] = [];
  for (let left = count; left > 0; left -= RUN) {
    const slope = from.signed();
    const base = from.signed();
    const width = from.byte();
    const above = from.packed(Math.min(left, RUN), width);
    for (const [i, distance] of above.entries()) values.push(base + i * slope + distance);
  }
  return values;
}

function slopeOf(run: readonly number[]): number {
  const first = run[0] ?? 0;
  const last = run.at(-1) ?? first;
  const slope = Math.round((last - first) / Math.max(1, run.length - 1));
  return Math.abs(slope) < MAX_SLOPE ? slope : 0;
}

function fitted(run: readonly number[], slope: number) {
  const level = run.map((value, i) => value - i * slope);
  const base = Math.min(...level);
  const above = level.map((value) => value - base);
  const width = Math.max(...above) === 0 ? 0 : Math.floor(Math.log2(Math.max(...above))) + 1;
  return { slope, base, width, above };
}

const isExact = (value: number, power: number) => {
  const scaled = Math.round(value * power);
  return scaled / power === value && Math.abs(scaled) <= MAX_SCALED && !Object.is(value, -0);
};

/** The fewest decimals with which every value is exact, or undefined where only the doubles themselves are. */
function decimalsOf(values: readonly number[]): number | undefined {
  let decimals = 0;
  for (const value of values) {
    while (!isExact(value, POWERS[decimals] ?? 1)) if (++decimals > MAX_DECIMALS) return undefined;
  }
  // more decimals make a large value inexact that was exact with fewer
  return values.every((value) => isExact(value, POWERS[decimals] ?? 1)) ? decimals : undefined;
}

/** Numbers, each to the last bit: whole numbers of 10^-decimals where that is exact, else doubles. */
export function writeNumbers(to: ByteWriter, values: readonly number[]): void {
  const decimals = decimalsOf(values);
  to.byte(decimals ?? AS_DOUBLES);
  if (decimals === undefined) writeDoubles(to, values);
  else writeIntegers(to, scaled(values, POWERS[decimals] ?? 1));
}

const scaled = (values: readonly number[], power: number) => values.map((value) => Math.round(value * power));

export function readNumbers(from: ByteReader, count: number): number[] {
  const decimals = from.byte();
  if (decimals === AS_DOUBLES) return readDoubles(from, count);
  const power = POWERS[decimals] ?? 1;
  return readIntegers(from, count).map((whole) => whole / power);
}

/** First all first bytes, then all second ones …: neighbours are alike there, which compresses. */
function writeDoubles(to: ByteWriter, values: readonly number[]): void {
  const bytes = Buffer.from(Float64Array.from(values).buffer);
  for (let plane = 7; plane >= 0; plane--) {
    for (let i = 0; i < values.length; i++) to.byte(bytes[i * 8 + plane] ?? 0);
  }
}

function readDoubles(from: ByteReader, count: number): number[] {
  const doubles = new Float64Array(count);
  const bytes = Buffer.from(doubles.buffer);
  for (let plane = 7; plane >= 0; plane--) {
    for (let i = 0; i < count; i++) bytes[i * 8 + plane] = from.byte();
  }
  return [...doubles];
}

/** Values of any kind; those of a kind take little room. */
export function writeValues(to: ByteWriter, values: readonly Value[]): void {
  if (values.every((value) => typeof value === 'number')) {
    to.byte(NUMBERS);
    writeNumbers(to, values);
  } else if (values.every((value) => typeof value === 'boolean')) {
    to.byte(BOOLEANS);
    for (const value of values) to.byte(value ? 1 : 0);
  } else {
    to.byte(JSON_TEXT);
    to.text(JSON.stringify(values));
  }
}

export function readValues(from: ByteReader, count: number): Value[] {
  switch (from.byte()) {
    case NUMBERS:
      return readNumbers(from, count);
    case BOOLEANS:
      return Array.from({ length: count }, () => from.byte() === 1);
    default:
      return JSON.parse(from.text()) as Value[];
  }
}
