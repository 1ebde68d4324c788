import { expect, test } from 'vitest';
import { DISK_ID, LAYOUT, MIB_SECTORS, partitionTables } from './mbr.ts';

/** Reads the tables as Linux does (block/partitions/msdos.c): logical partitions count from their own table, links from the extended partition. */
function readPartitions(): Map<number, { type: number; start: number; length: number }> {
  const at = new Map(partitionTables().map(({ offset, sector }) => [offset / 512, sector]));
  const entry = (sector: Buffer, index: number) => {
    const from = 446 + index * 16;
    return { type: sector.readUInt8(from + 4), start: sector.readUInt32LE(from + 8), length: sector.readUInt32LE(from + 12) };
  };
  const mbr = at.get(0);
  if (!mbr) throw new Error('no MBR');
  const found = new Map([0, 1, 2, 3].map((index) => [index + 1, entry(mbr, index)] as const));
  const extended = found.get(3);
  let number = 5;
  for (let table = extended?.start; table !== undefined && extended; ) {
    const sector: Buffer | undefined = at.get(table);
    if (!sector) throw new Error(`no table at ${table}`);
    const logical = entry(sector, 0);
    found.set(number++, { ...logical, start: table + logical.start });
    const next = entry(sector, 1);
    table = next.length > 0 ? extended.start + next.start : undefined;
  }
  return found;
}

test('every partition is where the layout says', () => {
  const found = readPartitions();
  for (const [number, area] of [
    [1, LAYOUT.boot],
    [2, LAYOUT.state],
    [4, LAYOUT.data],
    [5, LAYOUT.slotA],
    [6, LAYOUT.slotB],
  ] as const) {
    expect(found.get(number)).toMatchObject({ start: area.startMib * MIB_SECTORS, length: area.sizeMib * MIB_SECTORS });
  }
});

test('no two areas overlap, the slots lie inside the extended partition, and a 4 GB card has a gigabyte and a half left for data', () => {
  const { extended, slotA, slotB, ...outer } = LAYOUT;
  const areas = Object.values({ ...outer, extended }).sort((a, b) => a.startMib - b.startMib);
  areas.slice(1).forEach((area, index) => {
    const before = areas[index];
    expect(before && before.startMib + before.sizeMib).toBeLessThanOrEqual(area.startMib);
  });
  expect(slotA.startMib).toBeGreaterThan(extended.startMib);
  expect(slotB.startMib).toBeGreaterThanOrEqual(slotA.startMib + slotA.sizeMib);
  expect(slotB.startMib + slotB.sizeMib).toBeLessThanOrEqual(extended.startMib + extended.sizeMib);
  expect(4_000_000_000 / 1024 / 1024 - LAYOUT.data.startMib).toBeGreaterThan(1536);
});

test('the boot partition is the active one, and the table has the id that the initramfs looks for', () => {
  const mbr = partitionTables()[0]?.sector;
  expect(mbr?.readUInt8(446)).toBe(0x80);
  expect(mbr?.readUInt32LE(440)).toBe(DISK_ID);
  expect(mbr?.readUInt16BE(510)).toBe(0x55aa);
});

test('all tables lie before slot A, so that a file which ends with slot A has them', () => {
  for (const { offset } of partitionTables()) expect(offset).toBeLessThan(LAYOUT.slotA.startMib * 1024 * 1024);
});
