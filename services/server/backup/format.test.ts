import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { zstdCompressSync } from 'node:zlib';
import type { BackupPart } from '@ledge/contract';
import { putDocument, putFile } from '@ledge/kit/backup/tar.ts';
import { type Pack, pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { type Backup, headerOf, inspect, sendParts, writeBackup } from './archive.ts';
import { CHUNK_BYTES, closing, newHeader, opening, readHeader, unlock } from './format.ts';

const ABOUT = { version: '0.1.0', edge: 'ledge-a1b2c3d4', name: 'Barn', made: '2026-01-01T00:00:00.000Z' };
const PASSPHRASE = 'correct horse';
const CHEAP = { n: 2 ** 10, r: 8, p: 1 };
const dir = mkdtempSync(join(tmpdir(), 'ledge-format-'));
const sha = async (bytes: Buffer) => (await import('node:crypto')).createHash('sha256').update(bytes).digest('hex');

async function partOf(service: string, files: Record<string, Buffer>): Promise<Readable> {
  const tar = pack();
  const list: BackupPart['files'] = [];
  const fill = async () => {
    for (const [path, bytes] of Object.entries(files)) {
      await putFile(tar, path, bytes.length, [bytes]);
      list.push({ path, bytes: bytes.length, mode: 0o640, sha256: await sha(bytes) });
    }
    await putDocument(tar, 'part.json', { service, version: '0.1.0', covers: ['things'], counts: { things: 1 }, files: list });
    tar.finalize();
  };
  void fill();
  return Readable.from(tar, { objectMode: false });
}

async function make(passphrase?: string, noise = 1000): Promise<{ bytes: Buffer; files: Record<string, Buffer> }> {
  const files = {
    'things/lamp.yaml': Buffer.from('driver: simulated\n'),
    'things/noise.yaml': randomBytes(noise),
    'things/empty.yaml': Buffer.alloc(0),
  };
  const chunks: Buffer[] = [];
  const to = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  await writeBackup(to, ABOUT, [{ service: 'device', open: () => partOf('device', files) }], passphrase);
  return { bytes: Buffer.concat(chunks), files };
}

let count = 0;
async function load(bytes: Buffer, passphrase?: string): Promise<Backup> {
  const file = join(dir, `${count++}.ledge`);
  writeFileSync(file, bytes);
  const header = await headerOf(file);
  return { file, header, key: await unlock(header, passphrase ?? '') };
}
/** As one that is there, whatever its passphrase. */
async function open(bytes: Buffer): Promise<Omit<Backup, 'key'>> {
  const file = join(dir, `${count++}.ledge`);
  writeFileSync(file, bytes);
  return { file, header: await headerOf(file) };
}
const read = async (bytes: Buffer, passphrase?: string) => inspect(await load(bytes, passphrase), 1e9);
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'accepted',
    (error: { code?: string }) => error.code ?? String(error),
  );

test.each([undefined, PASSPHRASE])('what goes in comes out, part by part (passphrase: %s)', async (passphrase) => {
  const { bytes, files } = await make(passphrase, 200_000);
  const backup = await load(bytes, passphrase);
  const manifest = await inspect(backup, 1e9);
  expect(manifest).toMatchObject({ ...ABOUT, parts: [{ service: 'device', counts: { things: 1 } }] });
  expect(manifest.parts[0]?.files.map(({ path }) => path)).toEqual(Object.keys(files));
  const sent: string[] = [];
  const send = async (_part: BackupPart, tar: Readable) => void sent.push((await buffer(tar)).toString('latin1'));
  let passed = 0;
  await sendParts(backup, manifest, { send, wanted: () => true, progress: (b) => (passed += b) });
  expect(sent[0]?.slice(0, 9)).toBe('part.json');
  for (const [path, content] of Object.entries(files)) {
    expect(sent[0]).toContain(path);
    expect(sent[0]).toContain(content.toString('latin1'));
  }
  expect(passed).toBe(200_018);
});

test('a backup that is cut anywhere is refused', async () => {
  for (const passphrase of [undefined, PASSPHRASE]) {
    const { bytes } = await make(passphrase, 500);
    const whole = await load(bytes, passphrase);
    for (let length = 0; length < bytes.length; length += length < 200 ? 17 : 13) {
      const cut = bytes.subarray(0, length);
      const result =
        length < whole.header.bytes
          ? codeOf(Promise.resolve().then(() => readHeader(cut)))
          : codeOf(open(cut).then((backup) => inspect({ ...backup, key: whole.key }, 1e9)));
      expect(['backup-damaged', 'backup-unknown'], `cut at ${length} of ${bytes.length}`).toContain(await result);
    }
    for (const length of [bytes.length - 1, bytes.length - 2, bytes.length - 4, bytes.length - 5])
      expect(await codeOf(open(bytes.subarray(0, length)).then((backup) => inspect({ ...backup, key: whole.key }, 1e9)))).toBe(
        'backup-damaged',
      );
  }
});

test('a backup with a bit that is not as it was is refused', async () => {
  for (const passphrase of [undefined, PASSPHRASE]) {
    const { bytes } = await make(passphrase, 500);
    const { header, key } = await load(bytes, passphrase);
    for (let at = 0; at < bytes.length; at += at < header.bytes ? 1 : 5) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      const result = await codeOf(open(flipped).then((backup) => inspect({ ...backup, key }, 1e9)));
      expect(['backup-damaged', 'backup-unknown', 'backup-too-new'], `bit in byte ${at} of ${bytes.length}`).toContain(result);
    }
  }
});

test('the passphrase must be right, and may be typed with composed or decomposed letters', async () => {
  const { text } = await newHeader('grüne Wiese', CHEAP);
  const header = readHeader(Buffer.from(text));
  await expect(unlock(header, 'gru\u0308ne Wiese')).resolves.toBeDefined();
  await expect(unlock(header, 'Grüne Wiese')).rejects.toMatchObject({ code: 'backup-wrong-passphrase' });
});

test('chunks can be neither left out, moved nor taken for the last', async () => {
  const { key } = await newHeader(PASSPHRASE, CHEAP);
  const plain = randomBytes(3 * CHUNK_BYTES);
  const sealed = await buffer(Readable.from([plain.subarray(0, 100_000), plain.subarray(100_000)]).pipe(closing(key)));
  const piece = CHUNK_BYTES + 16;
  const [a, b, c] = [0, 1, 2].map((i) => sealed.subarray(i * piece, (i + 1) * piece)) as [Buffer, Buffer, Buffer];
  const open = (pieces: Buffer[]) => buffer(Readable.from(pieces).pipe(opening(key)));
  expect(await open([a, b, c])).toEqual(plain);
  expect(sealed.includes(plain.subarray(0, 32))).toBe(false);
  for (const wrong of [[a, b], [a, c], [b, a, c], [a, b, c, c], [a, a, b, c], [c]])
    expect(await codeOf(open(wrong))).toBe('backup-damaged');
});

test('a newer format and any other file are told apart', async () => {
  const { bytes } = await make();
  const newer = Buffer.from(bytes.toString('latin1').replace('ledge-backup 1', 'ledge-backup 2'), 'latin1');
  await expect(load(newer)).rejects.toMatchObject({ code: 'backup-too-new', message: expect.stringContaining('format 2') });
  await expect(load(Buffer.from('PK\x03\x04 a zip'))).rejects.toMatchObject({ code: 'backup-unknown' });
  await expect(load(Buffer.alloc(0))).rejects.toMatchObject({ code: 'backup-unknown' });
});

test('a header cannot ask for all memory', async () => {
  const { createHash } = await import('node:crypto');
  const encryption = { cipher: 'aes-256-gcm', n: 2 ** 30, r: 8, p: 1, salt: 'AAAA', check: 'AAAA' };
  const text = `ledge-backup 1\n${JSON.stringify({ compression: 'zstd', encryption })}`;
  const sum = createHash('sha256').update(text).digest('hex').slice(0, 16);
  expect(() => readHeader(Buffer.from(`${text} ${sum}\n`))).toThrow(expect.objectContaining({ code: 'backup-damaged' }));
});

type Fill = (tar: Pack) => Promise<unknown> | unknown;
async function byHand(fill: Fill): Promise<Buffer> {
  const tar = pack();
  const written = Promise.resolve(fill(tar)).then(() => tar.finalize());
  const bytes = await buffer(Readable.from(tar, { objectMode: false }));
  await written;
  const { text, key } = await newHeader(undefined);
  return Buffer.concat([Buffer.from(text), await buffer(Readable.from([zstdCompressSync(bytes)]).pipe(closing(key)))]);
}
const manifest = (files: object[]) => ({ ...ABOUT, parts: [{ service: 'device', version: '1', covers: ['things'], counts: {}, files }] });

test('a tar made by hand is refused: links, files that are not listed, paths that lead out, names without end', async () => {
  const evil = Buffer.from('x');
  const file = { path: 'things/a.yaml', bytes: 1, mode: 0o644, sha256: await sha(evil) };
  const listed =
    (name: string, files: object[]): Fill =>
    async (tar) => {
      await putFile(tar, name, 1, [evil]);
      await putDocument(tar, 'manifest.json', manifest(files));
    };
  const hostile: [string, Fill][] = [
    ['link', (tar) => tar.entry({ name: 'device/things/a.yaml', type: 'symlink', linkname: '/etc/passwd' })],
    ['hard link', (tar) => tar.entry({ name: 'device/things/a.yaml', type: 'link', linkname: '/etc/passwd' })],
    ['device', (tar) => tar.entry({ name: 'device/things/a.yaml', type: 'character-device' })],
    ['no list', (tar) => putFile(tar, 'device/things/a.yaml', 1, [evil])],
    ['unlisted', listed('device/things/b', [])],
    ['missing', (tar) => putDocument(tar, 'manifest.json', manifest([file]))],
    ...['things/../../etc/passwd', '/etc/passwd', 'things//a', 'things/..', 'C:\\a', 'things/.restore-device/new/x'].map(
      (path): [string, Fill] => [path, listed(`device/${path}`, [{ ...file, path }])],
    ),
    [
      'after the end',
      async (tar) => {
        await putDocument(tar, 'manifest.json', manifest([]));
        await putFile(tar, 'more', 1, [evil]);
      },
    ],
    ['a long name', (tar) => tar.entry({ name: 'a', pax: { path: 'x'.repeat(3_000_000) } } as never, 'x')],
  ];
  for (const [what, fill] of hostile) expect(await codeOf(byHand(fill).then((bytes) => read(bytes))), what).toBe('backup-damaged');
  expect(await codeOf(read(await byHand(listed('device/things/a.yaml', [file]))))).toBe('accepted');
});

test('more than the disk has room for is not even counted', async () => {
  const { bytes } = await make(undefined, 5000);
  await expect(load(bytes).then((backup) => inspect(backup, 1000))).rejects.toMatchObject({ code: 'storage-full' });
});

test('without a passphrase common tools open it', async () => {
  const { bytes } = await make();
  const file = join(dir, 'plain.ledge');
  writeFileSync(file, bytes);
  expect(readFileSync(file, 'latin1').split('\n')[0]).toBe('ledge-backup 1');
});
