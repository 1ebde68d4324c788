import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cacheRoot, sha256 } from '../cache.ts';
import { run } from '../run.ts';

/** `EDGE_SLOW=1` builds everything anew, twice, Debian's packages included: about an hour. Else only what is made of our own sources. */
const SLOW = process.env.EDGE_SLOW === '1';
/** Pieces that both quick builds take from the cache: made of Debian's packages and Node alone. */
const TAKEN = ['layers', 'unpacked', 'node', 'kernel', 'radio', 'runtime', 'system', 'extra'];
/** Downloads and keys are the same for everybody. */
const SHARED = ['apt', 'development-keys'];
/** The bundle and the sums of the build bear a signature with its time, so they are left out. */
const COMPARED = ['ledge-rpi.img', 'slot.img', 'packages.txt', 'ledge-rpi.spdx.json', 'u-boot-qemu.bin', 'u-boot-rpi.bin'];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledge-twice-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Builds the image with a cache that lacks what is built here; resolves with the checksums of what came out. */
async function build(name: string): Promise<Record<string, string>> {
  const cache = join(folder, `${name}-cache`);
  const out = join(folder, name);
  mkdirSync(cache);
  for (const kind of [...SHARED, ...(SLOW ? [] : TAKEN)]) {
    const from = join(cacheRoot(), kind);
    if (existsSync(from)) symlinkSync(from, join(cache, kind));
  }
  await run(process.execPath, [join(import.meta.dirname, '..', 'main.ts'), 'rpi', '--no-compress', '--out', out], {
    environment: { EDGE_CACHE: cache },
  });
  const sums: Record<string, string> = {};
  for (const file of COMPARED) sums[file] = await sha256(join(out, file));
  return sums;
}

test(`two ${SLOW ? 'builds of everything' : 'builds of our own parts (services, pages, addons, initramfs, slot, boot partition, card)'} are identical`, {
  timeout: SLOW ? 2 * 3_600_000 : 1_200_000,
}, async () => {
  const one = await build('one');
  expect(await build('other')).toEqual(one);
});
