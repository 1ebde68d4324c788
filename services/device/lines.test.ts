import { expect, test } from 'vitest';
import { LineSplitter } from './lines.ts';

function split(chunks: (string | Uint8Array)[], maxBytes?: number) {
  const lines: string[] = [];
  let overlong = 0;
  const splitter = new LineSplitter((line) => lines.push(line), {
    ...(maxBytes === undefined ? {} : { maxBytes }),
    onOverlong: () => {
      overlong++;
    },
  });
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  return { lines, overlong };
}

test('lines are put together across chunks, whatever ends them', () => {
  expect(split(['ab', 'c\r', '\nd\n\ne\rf']).lines).toEqual(['abc', 'd', 'e']);
});

test('a character that is cut in two is whole again', () => {
  const bytes = Buffer.from('21 °C\n');
  expect(split([bytes.subarray(0, 4), bytes.subarray(4)]).lines).toEqual(['21 °C']);
});

test('a line that is too long is dropped whole, told once, and the next one is heard', () => {
  expect(split(['x'.repeat(6), 'x'.repeat(6), 'x'.repeat(9), 'x'.repeat(9), 'x\nok\n'], 10)).toEqual({ lines: ['ok'], overlong: 1 });
});

test('bytes that are no text do no harm', () => {
  const { lines } = split([Uint8Array.of(0xff, 0x00, 0xfe, 0x0a), 'ok\n']);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toBe('ok');
});
