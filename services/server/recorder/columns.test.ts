import type { Value } from '@ledge/contract';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from './bytes.ts';
import { readIntegers, readNumbers, readValues, writeIntegers, writeNumbers, writeValues } from './columns.ts';
import { seededRandom } from './test-tools/sensors.ts';

const ROUNDS = 2000;

function throughBytes<T>(values: T[], write: (to: ByteWriter, values: T[]) => void, read: (from: ByteReader, count: number) => T[]): T[] {
  const to = new ByteWriter();
  write(to, values);
  return read(new ByteReader(Buffer.from(to.bytes)), values.length);
}

test('whole numbers of every size come back as they were', () => {
  const random = seededRandom(1);
  for (let round = 0; round < ROUNDS; round++) {
    const size = 2 ** Math.floor(random() * 52);
    const slope = Math.floor((random() - 0.5) * size) / 64;
    const values = Array.from(
      { length: Math.floor(random() * 40) },
      (_, i) => Math.round((random() - 0.5) * size + Math.trunc(slope) * i) || 0,
    );
    expect(throughBytes(values, writeIntegers, readIntegers)).toEqual(values);
  }
});

test('numbers come back to the last bit, with few decimals, with all, and where only the bits tell them apart', () => {
  const random = seededRandom(2);
  const special = [
    0,
    -0,
    0.1,
    0.1 + 0.2,
    5e-324,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    Number.MAX_SAFE_INTEGER,
    2 ** 51,
    -(2 ** 51),
    1e-9,
    123456.789,
  ];
  for (let round = 0; round < ROUNDS; round++) {
    const decimals = Math.floor(random() * 12);
    const values = Array.from({ length: Math.floor(random() * 20) }, () => {
      const choice = random();
      if (choice < 0.05) return special[Math.floor(random() * special.length)] ?? 0;
      const number = (random() - 0.5) * 10 ** Math.floor(random() * 8);
      return decimals > 9 ? number : Number(number.toFixed(decimals));
    });
    const read = throughBytes(values, writeNumbers, readNumbers);
    expect(read.length).toBe(values.length);
    for (const [i, value] of values.entries()) if (!Object.is(read[i], value)) expect.fail(`${value} came back as ${read[i]}`);
  }
});

test('truths, texts and mixed values come back as they were', () => {
  const columns: Value[][] = [[], [true, false, true], ['on', '', 'ü\n"'], [1, 'two', false], [0.5, -0.25]];
  for (const values of columns) expect(throughBytes(values, writeValues, readValues)).toEqual(values);
});

test('ten readings of a steady sensor take less than a byte each', () => {
  const to = new ByteWriter();
  writeNumbers(to, [21.4, 21.4, 21.5, 21.4, 21.5, 21.5, 21.4, 21.4, 21.5, 21.5]);
  expect(to.bytes.length).toBeLessThan(10);
});
