import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '@ledge/testing';
import { expect, test } from 'vitest';
import { COPY_SIZE, formatCopy, parseState, STATE } from './slot-state.ts';

const copy = (counter: number, order: string) => formatCopy({ counter, variables: new Map([['BOOT_ORDER', order]]) });
function partition(first: Buffer, second: Buffer): Buffer {
  const bytes = Buffer.alloc(8 << 20);
  first.copy(bytes, STATE.first);
  second.copy(bytes, STATE.second);
  bytes.write('LEDGE-BOOTS 3\n', STATE.boots);
  return bytes;
}
const orderOf = (bytes: Buffer) => parseState(bytes).variables?.get('BOOT_ORDER');

test('the newer copy holds, also when the counter has begun again', () => {
  expect(orderOf(partition(copy(4, 'A B'), copy(5, 'B A')))).toBe('B A');
  expect(orderOf(partition(copy(6, 'A B'), copy(5, 'B A')))).toBe('A B');
  expect(orderOf(partition(copy(255, 'A B'), copy(0, 'B A')))).toBe('B A');
});

test('a damaged copy leaves the other, two damaged ones leave nothing', () => {
  const damaged = copy(9, 'B A').fill(0xff, 100, 200);
  expect(orderOf(partition(damaged, copy(1, 'A B')))).toBe('A B');
  expect(orderOf(partition(damaged, damaged))).toBeUndefined();
});

test('marks are read as text', () => {
  expect(parseState(partition(copy(1, 'A B'), copy(2, 'A B'))).marks).toEqual({ boots: 'LEDGE-BOOTS 3', reset: '', data: '' });
});

test.skipIf(!findProgram('fw_printenv'))('fw_printenv reads what we write', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledge-env-'));
  const bytes = partition(copy(1, 'A B'), copy(2, 'B A'));
  writeFileSync(join(folder, 'state'), bytes);
  writeFileSync(
    join(folder, 'config'),
    [STATE.first, STATE.second].map((at) => `${folder}/state 0x${at.toString(16)} 0x${COPY_SIZE.toString(16)}\n`).join(''),
  );
  const said = execFileSync(findProgram('fw_printenv') ?? '', ['-c', join(folder, 'config'), '-n', 'BOOT_ORDER']).toString();
  rmSync(folder, { recursive: true });
  expect(said.trim()).toBe('B A');
});
