import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Outbox, type Queued, SEQ_BLOCK } from './outbox.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outbox-'));
  file = join(dir, 'outbox.db');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const A = { thing: 'sim', node: 'main', property: 'a' };
const B = { thing: 'sim', node: 'main', property: 'b' };
const NOW_MS = 1_800_000_000_000;
const open = () => Outbox.open(file, NOW_MS).outbox;
const sequenceOf = (outbox: Outbox, address = A) => {
  const [sequence] = outbox.sequences([address]);
  if (!sequence) throw new Error('no sequence');
  return sequence;
};
const readings = (outbox: Outbox, count: number): Queued[] => {
  const sequence = sequenceOf(outbox);
  return Array.from({ length: count }, (_, i) => ({ sequence, seq: outbox.nextSeq(sequence), timeMs: NOW_MS + i, value: i }));
};
const seqs = (outbox: Outbox) => outbox.read(outbox.firstId, 10_000).map((r) => r.seq);

test('numbers of each property count up by one, also over an orderly stop', () => {
  const first = open();
  expect([1, 2, 3].map(() => first.nextSeq(sequenceOf(first)))).toEqual([0, 1, 2]);
  expect(first.nextSeq(sequenceOf(first, B))).toBe(0);
  first.close();
  const second = open();
  expect(second.nextSeq(sequenceOf(second))).toBe(3);
  expect(second.nextSeq(sequenceOf(second, B))).toBe(1);
  second.close();
});

test('after a crash no number is used twice', () => {
  const crashed = open();
  const used = Array.from({ length: SEQ_BLOCK + 10 }, () => crashed.nextSeq(sequenceOf(crashed)));
  // no close: the process is gone
  const next = open();
  expect(next.nextSeq(sequenceOf(next))).toBeGreaterThan(Math.max(...used));
  next.close();
});

test('readings come back as they went in, in order, over a restart', () => {
  const outbox = open();
  const sequence = sequenceOf(outbox);
  const values = [21.5, 3, true, false, '', 'true', '7', 'ä\n"'];
  outbox.append(values.map((value, seq) => ({ sequence, seq, timeMs: NOW_MS + seq, value })));
  outbox.close();
  const again = open();
  expect(again.size).toBe(values.length);
  expect(again.read(again.firstId, 100).map((r) => r.value)).toEqual(values);
  expect(again.read(again.firstId, 100).map((r) => r.timeMs - NOW_MS)).toEqual(values.map((_, i) => i));
  expect(again.read(again.firstId, 1)[0]?.sequence.address).toEqual(A);
  again.close();
});

test('readings that were on their way go before those that wait', () => {
  const outbox = open();
  const all = readings(outbox, 6);
  outbox.append(all.slice(3));
  outbox.prepend(all.slice(0, 3));
  expect(seqs(outbox)).toEqual([0, 1, 2, 3, 4, 5]);
  outbox.removeBefore(outbox.firstId + 2);
  outbox.prepend(all.slice(0, 2));
  expect(seqs(outbox)).toEqual([0, 1, 2, 3, 4, 5]);
  outbox.close();
});

test('at its limit the oldest are dropped and counted', () => {
  const outbox = open();
  outbox.append(readings(outbox, 100));
  expect(outbox.limitTo(30)).toBe(70);
  expect(outbox.limitTo(30)).toBe(0);
  expect(seqs(outbox)).toEqual(Array.from({ length: 30 }, (_, i) => 70 + i));
  outbox.close();
});

test('a damaged file is set aside, and the numbers go on far above all that were used', () => {
  const before = open();
  before.append(readings(before, 10));
  before.close();
  writeFileSync(file, 'this is no database, and long enough to be looked at as one '.repeat(100));
  const { outbox, damaged } = Outbox.open(file, NOW_MS);
  expect(damaged).toBe(`${file}.damaged-${NOW_MS}`);
  expect(readdirSync(dir)).toContain(`outbox.db.damaged-${NOW_MS}`);
  expect(outbox.size).toBe(0);
  expect(outbox.nextSeq(sequenceOf(outbox))).toBe(NOW_MS);
  outbox.close();
});

test('a file that cannot be opened now, and is not damaged, is left as it is', () => {
  const before = open();
  before.append(readings(before, 10));
  before.close();
  const other = new DatabaseSync(file);
  other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  expect(() => open()).toThrow(/locked/);
  other.close();
  const again = open();
  expect(again.size).toBe(10);
  again.close();
});
