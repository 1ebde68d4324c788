import type { HistoryPoint, Value } from '@ledge/contract';
import type { HistoryExport } from '../recorder/index.ts';

/** RFC 4180. */
const LINE_END = '\r\n';
/** What makes a spreadsheet take text for a formula (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * History as CSV, some lines at a time. `time,value` for readings; `time,mean,min,max` where only minutes or hours are left, with the last
 * value as mean for what is no number.
 */
export async function* csvOf({ resolution, points }: HistoryExport): AsyncGenerator<string> {
  const row = resolution === 'raw' ? rawRow : rolledUpRow;
  yield (resolution === 'raw' ? 'time,value' : 'time,mean,min,max') + LINE_END;
  for await (const some of points) yield some.map((point) => row(point).map(csvField).join(',') + LINE_END).join('');
}

const rawRow = ({ time, value }: HistoryPoint) => [time, value];
const rolledUpRow = ({ time, value, mean, min, max }: HistoryPoint) => [time, mean ?? value, min, max];

/** One field: quoted where it must be, and never a formula. */
export function csvField(value: Value | undefined): string {
  if (typeof value !== 'string') return value === undefined ? '' : String(value);
  const text = FORMULA.test(value) && Number.isNaN(Number(value)) ? `'${value}` : value;
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
