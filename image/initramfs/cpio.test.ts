import { expect, test } from 'vitest';
import { cpio, FILE, LINK } from './cpio.ts';

/** Reads an archive by the format's own rules: header of 110 characters, name and content each padded to four bytes. */
function read(archive: Buffer): { path: string; mode: number; content: string; timeS: number }[] {
  const found = [];
  for (let at = 0; ; ) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const field = (index: number) => Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const path = archive.toString('latin1', at + 110, at + 110 + field(11) - 1);
    const contentAt = Math.ceil((at + 110 + field(11)) / 4) * 4;
    if (path === 'TRAILER!!!') return found;
    found.push({ path, mode: field(1), content: archive.toString('latin1', contentAt, contentAt + field(6)), timeS: field(5) });
    at = Math.ceil((contentAt + field(6)) / 4) * 4;
  }
}

test('files and links are found again, whatever their length', () => {
  const archive = cpio(
    [
      { path: 'a', mode: FILE, content: Buffer.from('x') },
      { path: 'some/longer', mode: FILE, content: Buffer.from('four') },
      { path: 'link', mode: LINK, content: Buffer.from('a') },
    ],
    77,
  );
  expect(read(archive)).toEqual([
    { path: 'a', mode: FILE, content: 'x', timeS: 77 },
    { path: 'some/longer', mode: FILE, content: 'four', timeS: 77 },
    { path: 'link', mode: LINK, content: 'a', timeS: 77 },
  ]);
  expect(archive.length % 512).toBe(0);
});
