import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Card, REPORT_FILE } from './card.ts';
import { DiskFiles } from './data-files.ts';
import { runImport } from './import.ts';
import { FakeMachine, read, sample, ZONEINFO } from './test-support.ts';
import { planWipe } from './wipe.ts';

const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const ready =
  process.getuid?.() === 0 &&
  ['mkfs.vfat', 'fsck.vfat', 'mcopy', 'fusefat', 'fusermount'].every(has) &&
  spawnSync('test', ['-r', '/dev/fuse']).status === 0;
const SECRETS = ['correct horse', 'battery-staple', "it''s a secret", '474ba82aa7ecbb0e', '$y$j9T', 'rpuak_'];
const SECTOR = 512;

/** A card image as the build makes it: FAT32 with our files and the report's room. */
class CardImage implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'ledge-fat-'));
  readonly file = join(this.dir, 'card.img');
  readonly mounted = join(this.dir, 'mnt');

  constructor(files: Record<string, Buffer | string>) {
    mkdirSync(this.mounted);
    execFileSync('truncate', ['-s', '40M', this.file]);
    execFileSync('mkfs.vfat', ['-F', '32', '-n', 'LEDGE-BOOT', '-s', '1', this.file]);
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(this.dir, 'draft'), content);
      execFileSync('mcopy', ['-i', this.file, join(this.dir, 'draft'), `::${name}`]);
    }
  }

  /** Runs with the image mounted for writing. */
  async with<T>(act: (dir: string) => Promise<T>): Promise<T> {
    execFileSync('fusefat', ['-s', '-o', 'rw+', this.file, this.mounted], { stdio: 'ignore' });
    try {
      return await act(this.mounted);
    } finally {
      execFileSync('fusermount', ['-u', this.mounted]);
    }
  }

  read(name: string): Buffer {
    return execFileSync('mtype', ['-i', this.file, `::${name}`]);
  }

  /** What fsck says of it; empty when the file system is whole. */
  fault(image = this.file): string {
    const { status, stdout, stderr } = spawnSync('fsck.vfat', ['-n', image], { encoding: 'utf8' });
    return status === 0 ? '' : stdout + stderr;
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const importFrom = async (dir: string, data: string, machine = new FakeMachine()) =>
  await runImport({
    card: new Card(dir),
    ports: { networks: machine, host: machine, files: new DiskFiles(data), sync: async () => {} },
    box: 'ledge-a1b2c3d4',
    hostname: 'ledge-a1b2',
    zoneinfo: ZONEINFO,
    now: () => new Date(0),
    warn: () => {},
  });

const FILES = {
  'ledge.yaml': sample('ledge.yaml'),
  'user-data': sample('imager-2.user-data'),
  'network-config': sample('imager-2.network-config'),
  [REPORT_FILE]: `${' '.repeat(16 * 1024 - 2)}\r\n`,
};

describe.skipIf(!ready)('on a real FAT file system (needs: dosfstools, mtools, fusefat, /dev/fuse, root)', () => {
  test('no secret is left anywhere on the medium, and the file system is the same as before, byte by byte', async () => {
    using card = new CardImage(FILES);
    const before = readFileSync(card.file);
    for (const secret of SECRETS) expect(before.includes(secret), secret).toBe(true);
    const report = await card.with((dir) => importFrom(dir, join(card.dir, 'data')));
    expect(report.problems).toEqual([]);
    expect(report.wiped).toBe(7);

    const after = readFileSync(card.file);
    for (const secret of SECRETS) expect(after.includes(secret), secret).toBe(false);
    expect(card.fault()).toBe('');
    for (const name of ['ledge.yaml', 'user-data', 'network-config'] as const) {
      const reading = read(name, FILES[name]);
      const expected = Buffer.from(FILES[name]);
      for (const { patch } of reading.secrets) patch.bytes.copy(expected, patch.start);
      expect(card.read(name).equals(expected), name).toBe(true);
    }
    expect(card.read(REPORT_FILE).toString()).toContain('Wi-Fi "Home"');

    // outside of the files' own bytes only the mark "in use" of the two file allocation tables may have been touched
    const inFiles = new Uint8Array(before.length);
    for (const content of Object.values(FILES)) {
      const bytes = Buffer.from(content);
      for (let at = 0; at < bytes.length; at += SECTOR) {
        const piece = bytes.subarray(at, at + SECTOR);
        const padded = Buffer.concat([piece, Buffer.alloc(SECTOR - piece.length)]);
        for (let start = before.indexOf(padded); start !== -1; start = before.indexOf(padded, start + SECTOR))
          inFiles.fill(1, start, start + piece.length);
      }
    }
    const touched: number[] = [];
    for (let i = 0; i < before.length; i++) if (before[i] !== after[i] && !inFiles[i]) touched.push(i);
    const reserved = before.readUInt16LE(14) * SECTOR;
    const tableBytes = before.readUInt32LE(36) * SECTOR;
    expect(touched.filter((i) => i !== reserved + 7 && i !== reserved + tableBytes + 7)).toEqual([]);
  });

  test('whichever sectors had been written when the power went: the file system is whole, and nothing wrong is taken', async () => {
    using card = new CardImage(FILES);
    const before = readFileSync(card.file);
    const data = join(card.dir, 'data');
    await card.with((dir) => importFrom(dir, data));
    const after = readFileSync(card.file);
    // the mark "in use" in the tables is fusefat's own, and set before anything else
    const tables = before.readUInt16LE(14) + 2 * before.readUInt32LE(36);
    const changed = Array.from({ length: before.length / SECTOR }, (_, i) => i * SECTOR).filter(
      (at) => at >= tables * SECTOR && !before.subarray(at, at + SECTOR).equals(after.subarray(at, at + SECTOR)),
    );
    expect(changed.length).toBeGreaterThan(3);
    const names = ['ledge.yaml', 'user-data', 'network-config'] as const;
    const secrets = names.flatMap((name) => read(name, FILES[name]).secrets);
    const contents = new Map(names.map((name) => [name as string, FILES[name]]));
    let state = 12345;
    for (let round = 0; round < 8; round++) {
      const torn = Buffer.from(before);
      for (const at of changed) {
        state = (state * 1103515245 + 12345) & 0x7fffffff;
        if (state & 0x10000) after.copy(torn, at, at, at + SECTOR);
      }
      const image = join(card.dir, 'torn.img');
      writeFileSync(image, torn);
      expect(card.fault(image)).toBe('');
      const [again, machine] = [join(card.dir, `data-${round}`), new FakeMachine()];
      machine.profiles.set('Home', { ssid: Buffer.from('Home'), key: { kind: 'passphrase', value: 'correct horse' }, hidden: false });
      planWipe(secrets, contents, new DiskFiles(again));
      copyFileSync(image, card.file);
      const report = await card.with((dir) => importFrom(dir, again, machine));
      expect(report.problems).toEqual([]);
      expect(machine.profiles.get('Home')?.key).toEqual({ kind: 'passphrase', value: 'correct horse' });
      for (const secret of SECRETS) expect(readFileSync(card.file).includes(secret), secret).toBe(false);
    }
  });

  test('on a card that is mounted read-only all is taken, and it is told that the passwords are still there', async () => {
    using card = new CardImage(FILES);
    const copy = join(card.dir, 'copy.img');
    copyFileSync(card.file, copy);
    execFileSync('fusefat', ['-s', '-o', 'ro', card.file, card.mounted], { stdio: 'ignore' });
    const machine = new FakeMachine();
    try {
      const report = await importFrom(card.mounted, join(card.dir, 'data'), machine);
      expect(report.problems.length).toBeGreaterThan(0);
    } finally {
      execFileSync('fusermount', ['-u', card.mounted]);
    }
    expect(machine.profiles.has('Home')).toBe(true);
    expect(readFileSync(card.file).equals(readFileSync(copy))).toBe(true);
  });
});
