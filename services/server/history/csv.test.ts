import type { HistoryPoint } from '@ledge/contract';
import { expect, test } from 'vitest';
import type { HistoryExport } from '../recorder/index.ts';
import { csvField, csvOf } from './csv.ts';

async function text(resolution: HistoryExport['resolution'], ...parts: HistoryPoint[][]): Promise<string> {
  const points = (async function* () {
    yield* parts;
  })();
  let all = '';
  for await (const part of csvOf({ resolution, points })) all += part;
  return all;
}
const time = '2026-03-01T10:00:00.000Z';

test('readings are lines of time and value; an empty history is its header', async () => {
  expect(await text('raw', [{ time, value: 21.5, seq: 1 }], [{ time, value: true, seq: 2 }])).toBe(
    `time,value\r\n${time},21.5\r\n${time},true\r\n`,
  );
  expect(await text('raw')).toBe('time,value\r\n');
});

test('where only minutes or hours are left, a line has mean, smallest and largest', async () => {
  expect(
    await text('hour', [
      { time, mean: -2, min: -3, max: 1, count: 9 },
      { time, value: 'on', count: 2 },
    ]),
  ).toBe(`time,mean,min,max\r\n${time},-2,-3,1\r\n${time},on,,\r\n`);
});

test.each([
  ['=cmd|calc', "'=cmd|calc"],
  ['+1+1', "'+1+1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['-off', "'-off"],
  ['\t=1', "'\t=1"],
  ['-5', '-5'],
  [-5, '-5'],
  ['plain', 'plain'],
  ['a,b', '"a,b"'],
  ['say "hi"\nnow', '"say ""hi""\nnow"'],
  ['=1,2', '"\'=1,2"'],
  [undefined, ''],
])('%j is written as %j: never a formula, quoted where it must be', (value, field) => {
  expect(csvField(value)).toBe(field);
});
