import { until } from '@ledge/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../run.ts';
import { bootFacts, failedUnits, slotVariables } from './vm/ask.ts';
import { newBox } from './vm/box.ts';
import { journalOffset } from './vm/check-disk.ts';
import type { Disk, PartitionName } from './vm/disk.ts';
import { listBootFiles, putBootFiles, readBootFile } from './vm/fat.ts';
import { readyBox } from './vm/held-box.ts';
import type { Machine } from './vm/machine.ts';
import { seeded } from './vm/random.ts';
import { COPY_SIZE, STATE } from './vm/slot-state.ts';

const LETTER = '/var/lib/ledge/things/kept.txt';
const BLOCK = 4096;
const MIB = 2 ** 20;
const random = seeded(6);
/** A box that has run, and was switched off in good order. Each test breaks its own copy of this card. */
let whole: Machine;

beforeAll(async () => {
  whole = await readyBox('whole');
  await whole.sh(`echo 'still here' >${LETTER}`);
  await whole.shutDown();
});
afterAll(() => whole?.remove());

/** Breaks a copy of the card, boots it, and asks. */
async function broken(name: string, breakIt: (disk: Disk) => Promise<void>, ask: (box: Machine) => Promise<void>): Promise<void> {
  const box = await newBox(name, { image: whole.disk.file });
  try {
    await breakIt(box.disk);
    await box.powerOn();
    await ask(box);
  } finally {
    await box.remove();
  }
}

/** Random bytes in these places of a partition. */
const garble = (name: PartitionName, offsets: readonly number[], size: number) => async (disk: Disk) => {
  for (const offset of offsets) {
    const bytes = Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
    await disk.overwrite(name, offset, bytes);
  }
};

/** The system is up, with what was stored. Services add nothing to that, and take half of an emulated start. */
async function hasStarted(box: Machine, facts: Record<string, unknown>): Promise<void> {
  await box.shell();
  expect(await bootFacts(box)).toMatchObject({ SLOT: 'A', RESET: '', ...facts });
  expect(await box.sh(`cat ${LETTER}`)).toBe('still here');
}

describe('slot state', () => {
  test.each([
    ['the first copy', STATE.first],
    ['the second copy', STATE.second],
  ])('%s damaged: the other one holds, and nobody notices', (_, at) =>
    broken('state-one', garble('state', [at], COPY_SIZE), async (box) => {
      await box.console.wait(/^Ledge: slot A \(normal\)/, 60_000);
      expect(box.console.text()).not.toMatch(/damaged/);
    }),
  );

  test('both damaged: it says so, takes slot A, all is well, and the state is whole again afterwards', () =>
    broken('state-both', garble('state', [STATE.first, STATE.second], COPY_SIZE), async (box) => {
      await box.console.wait(/^Ledge: both copies of the slot state are damaged/, 60_000);
      await box.up();
      await hasStarted(box, { REASON: 'state-lost' });
      expect(await failedUnits(box)).toEqual([]);
      expect(await slotVariables(box)).toMatchObject({ BOOT_ORDER: 'A B', BOOT_A_LEFT: '9' });
      await box.cut();
      expect((await box.disk.state()).copies.map(({ valid }) => valid)).toContain(true);
    }));
});

describe('data partition', () => {
  test.each([
    ['first', 3],
    ['second', 3.5],
  ])('the %s mark of a card that is not new is gone: its data is not', (name, mib) =>
    broken(
      `data-mark-${name}`,
      (disk) => disk.overwrite('state', mib * MIB, Buffer.alloc(512)),
      (box) => hasStarted(box, { DATA: 'ok' }),
    ),
  );

  test('superblock gone: it is mended from its copy', () =>
    broken('data-superblock', garble('data', [1024], 1024), (box) => hasStarted(box, { DATA: 'repaired' })));

  test('a damaged journal is no reason to stay down', async () => {
    const at = await journalOffset(whole.disk);
    await broken('data-journal', garble('data', [at], 16 * BLOCK), (box) =>
      hasStarted(box, { DATA: expect.stringMatching(/ok|repaired/) }),
    );
  });

  test('random blocks gone: it comes up, and says when it had to mend or cannot use what is left', () => {
    const offsets = Array.from({ length: 100 }, () => Math.floor(random() * 40_000) * BLOCK);
    return broken('data-random', garble('data', offsets, BLOCK), async (box) => {
      await box.shell();
      const facts = await bootFacts(box);
      console.log(`100 random blocks of the data partition: ${JSON.stringify(facts)}`);
      if (facts.DATA !== 'ok') expect(box.console.text()).toMatch(/Ledge: the data partition/);
    });
  });

  test('its beginning gone: what is left is mended, and it says so', () =>
    broken('data-beginning', garble('data', [0], 8 << 20), async (box) => {
      await box.shell();
      expect(await bootFacts(box)).toMatchObject({ SLOT: 'A', DATA: 'repaired' });
      expect(box.console.text()).toMatch(/Ledge: the data partition was mended/);
    }));

  test('beyond mending: everything runs from memory, and it says so', () =>
    // with every copy of the superblock gone (ext4, sparse_super: groups 1, 3, 5, 7, 9 of 128 MiB)
    broken('data-all', garble('data', [0, ...[1, 3, 5, 7, 9].map((group) => group * 32_768 * BLOCK)], 16 * BLOCK), async (box) => {
      await box.up();
      await box.shell();
      expect(box.console.text()).toMatch(/Ledge: the data partition cannot be used/);
      expect(await bootFacts(box)).toMatchObject({ DATA: 'rescue' });
      expect(await box.sh('findmnt --noheadings --output FSTYPE /var')).toBe('tmpfs');
    }));
});

describe('boot partition', () => {
  test('every file of it that is not needed here may be cut short', () =>
    broken(
      'boot-others',
      async (disk) => {
        const files = (await listBootFiles(disk)).filter((file) => file !== 'boot.scr');
        const halves = await Promise.all(files.map(async (file) => [file, await half(disk, file)] as const));
        await putBootFiles(disk, Object.fromEntries(halves));
      },
      async (box) => {
        await hasStarted(box, { REASON: 'normal' });
        expect(await failedUnits(box)).toEqual([]);
      },
    ));

  test('a slot without its system: it says so, again and again, and that is no gesture for a factory reset', () =>
    broken(
      'slot-empty',
      async (disk) => {
        await disk.withPartition('slot-a', (file) => run('debugfs', ['-w', '-R', 'rm system.squashfs', file]), { writeBack: true });
      },
      async (box) => {
        for (let from = 0, i = 0; i < 2; i++) {
          await box.console.wait(/Ledge: cannot start: the root of slot A cannot be put together/, 120_000, { from });
          from = box.console.lines.length;
        }
        await until(
          'the count to begin anew',
          async () => (await box.disk.state({ running: true })).marks.boots === 'LEDGE-BOOTS 0',
          60_000,
        );
        expect(box.console.text()).not.toMatch(/factory reset/);
      },
    ));

  test('the boot script cut short: U-Boot says that it is damaged, and asks nobody in the network for another one', () =>
    broken(
      'boot-script',
      async (disk) => putBootFiles(disk, { 'boot.scr': await half(disk, 'boot.scr') }),
      async (box) => {
        await box.console.wait(/Bad data crc/, 60_000);
        await box.console.wait(/^=> $|Ledge: /, 120_000, { prompt: true });
        expect(box.console.text()).not.toMatch(/BOOTP|DHCP|TFTP/);
      },
    ));

  test('the whole file system gone: U-Boot says that it finds nothing to start', () =>
    broken('boot-gone', garble('boot', [0], 1 << 20), async (box) => {
      await box.console.wait(/No more bootdevs|no valid bootflow|0 valid/, 120_000);
    }));
});

async function half(disk: Disk, file: string): Promise<Buffer> {
  const bytes = await readBootFile(disk, file);
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}
