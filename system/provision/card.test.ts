import { expect, test } from 'vitest';
import { Card, padded, REPORT_FILE } from './card.ts';
import { TestBox } from './test-support.ts';

test('a patch changes its bytes and no others', () => {
  using box = new TestBox();
  box.put('a.txt', 'name: secret # é');
  const card = new Card(box.root);
  card.overwrite('a.txt', Buffer.from('name: secret # é'), [{ start: 6, bytes: Buffer.from('******') }]);
  expect(box.get('a.txt')).toBe('name: ****** # é');
});

test.each(['name: Secret', 'name: secret and more', 'name'])('a file that is another one by now (%s) is left alone', (now) => {
  using box = new TestBox();
  box.put('a.txt', now);
  const overwrite = () => new Card(box.root).overwrite('a.txt', Buffer.from('name: secret'), [{ start: 6, bytes: Buffer.from('******') }]);
  expect(overwrite).toThrow('a.txt was changed while it was read');
  expect(box.get('a.txt')).toBe(now);
});

test('a patch never makes a file longer', () => {
  using box = new TestBox();
  box.put('a.txt', 'secret');
  expect(() => new Card(box.root).overwrite('a.txt', Buffer.from('secret'), [{ start: 3, bytes: Buffer.from('******') }])).toThrow(
    RangeError,
  );
  expect(box.get('a.txt')).toBe('secret');
});

test('the report fills its file to the last byte, in lines that Notepad shows', () => {
  using box = new TestBox();
  box.put(REPORT_FILE, ' '.repeat(16 * 1024));
  const card = new Card(box.root);
  expect(card.report('one\ntwo é\n')).toBe(true);
  const first = box.get(REPORT_FILE);
  expect(Buffer.byteLength(first)).toBe(16 * 1024);
  expect(first).toMatch(/^one\r\ntwo é\r\n[ \r\n]+\r\n$/);
  card.report('short\n');
  expect(box.get(REPORT_FILE)).toMatch(/^short\r\n[ \r\n]+$/);
});

test('a report that is too long is cut at a line, and says so', () => {
  const text = padded(Array.from({ length: 500 }, (_, i) => `line ${i} é`).join('\n'), 4096);
  expect(text.length).toBe(4096);
  expect(text.toString()).toMatch(
    /é\r\n\.\.\. more did not fit here; the journal has it all\.\r\n *(\r\n *)*\r\n$|é\r\n\.\.\. more did not fit here; the journal has it all\.\r\n$/,
  );
});

test('without room for a report nothing is written', () => {
  using box = new TestBox();
  expect(new Card(box.root).report('x')).toBe(false);
  box.put(REPORT_FILE, 'tiny');
  expect(new Card(box.root).report('x')).toBe(false);
  expect(box.get(REPORT_FILE)).toBe('tiny');
});

test('checksums are as sha256sum prints them, without what is not there', () => {
  using box = new TestBox();
  box.put('b', 'abc');
  expect(new Card(box.root).checksums(['a', 'b'])).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n');
});
