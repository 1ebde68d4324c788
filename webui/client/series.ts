import type { HistoryPoint } from '@ledge/contract';

/** Columns as charts want them: seconds, mean, lowest, highest; `null` where nothing was recorded for long. */
export type Columns = [timesS: number[], means: (number | null)[], lows: (number | null)[], highs: (number | null)[]];

/** Twice as long as is usual is chance; five times is a hole. */
const HOLE_STEPS = 5;

function usualStep(timesS: readonly number[]): number {
  const steps = timesS.slice(1).map((time, i) => time - (timesS[i] ?? 0));
  return steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
}

/** History points as columns, with holes where the box was silent. */
export function columnsOf(points: readonly HistoryPoint[]): Columns {
  const numeric = points.flatMap(({ time, value, mean, min, max }) => {
    const middle = mean ?? value;
    return typeof middle === 'number' ? [{ timeS: Date.parse(time) / 1000, middle, low: min ?? middle, high: max ?? middle }] : [];
  });
  const holeS = usualStep(numeric.map(({ timeS }) => timeS)) * HOLE_STEPS;
  const columns: Columns = [[], [], [], []];
  let lastS: number | undefined;
  for (const { timeS, middle, low, high } of numeric) {
    if (lastS !== undefined && timeS - lastS > holeS) add(columns, (timeS + lastS) / 2, null, null, null);
    add(columns, timeS, middle, low, high);
    lastS = timeS;
  }
  return columns;
}

function add(columns: Columns, timeS: number, ...rest: [number | null, number | null, number | null]): void {
  columns[0].push(timeS);
  for (const [i, value] of rest.entries()) (columns[i + 1] as (number | null)[]).push(value);
}

export interface Extent {
  low: number;
  mean: number;
  high: number;
}

/** Lowest, mean and highest of all; undefined when there is nothing. */
export function extentOf(points: readonly HistoryPoint[], columns: Columns): Extent | undefined {
  const numbers = (column: readonly (number | null)[]) => column.filter((value) => value !== null);
  const lows = numbers(columns[2]);
  if (lows.length === 0) return undefined;
  let sum = 0;
  let weight = 0;
  for (const { mean, value, count = 1 } of points) {
    const middle = mean ?? value;
    if (typeof middle !== 'number') continue;
    sum += middle * count;
    weight += count;
  }
  return {
    low: lows.reduce((a, b) => Math.min(a, b)),
    mean: sum / weight,
    high: numbers(columns[3]).reduce((a, b) => Math.max(a, b)),
  };
}

/** The moments at which a value that is no number became another, newest first. */
export function changesOf(points: readonly HistoryPoint[]): { timeMs: number; value: string }[] {
  const changes: { timeMs: number; value: string }[] = [];
  for (const { time, value } of points) {
    if (value === undefined || changes.at(-1)?.value === String(value)) continue;
    changes.push({ timeMs: Date.parse(time), value: String(value) });
  }
  return changes.reverse();
}
