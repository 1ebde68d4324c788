import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { firstState, STATE_COPY_BYTES, stateCopy } from './state.ts';

test('a copy is a redundant U-Boot environment: checksum of the data, counter, texts that end in zero', () => {
  const copy = stateCopy({ BOOT_ORDER: 'A B', BOOT_A_LEFT: '9' }, 258);
  expect(copy).toHaveLength(STATE_COPY_BYTES);
  expect(copy.readUInt32LE(0)).toBe(crc32(copy.subarray(5)));
  expect(copy.readUInt8(4)).toBe(2); // the counter is one byte and wraps
  expect(copy.subarray(5, 34).toString('latin1')).toBe('BOOT_ORDER=A B\0BOOT_A_LEFT=9\0');
  expect(copy.subarray(34).every((byte) => byte === 0)).toBe(true);
});

test('a freshly written card starts slot A, confirmed, and has nothing in slot B', () => {
  const text = firstState(0).toString('latin1');
  expect(text).toContain('BOOT_A_LEFT=9\0BOOT_B_LEFT=0\0BOOT_ORDER=A B\0');
});

test('variables that do not fit are refused', () => {
  expect(() => stateCopy({ LONG: 'x'.repeat(STATE_COPY_BYTES) }, 0)).toThrow(/at most 4090 fit/);
});
