/** Sectors of 512 bytes in a MiB. */
export const MIB_SECTORS = 2048;
export const MIB = 1024 * 1024;

/** The table's id, by which the box finds its own card; the same on every card, so that a file is the same for everybody. */
export const DISK_ID = 0x1ed9e001;

export interface Area {
  startMib: number;
  sizeMib: number;
}

/** Where everything lies on the card, in MiB; see image/README.md. */
export const LAYOUT = {
  state: { startMib: 4, sizeMib: 8 },
  boot: { startMib: 12, sizeMib: 84 },
  extended: { startMib: 96, sizeMib: 1540 },
  slotA: { startMib: 97, sizeMib: 768 },
  slotB: { startMib: 865, sizeMib: 768 },
  /** Grown to the end of the card at first boot. */
  data: { startMib: 1636, sizeMib: 16 },
} as const satisfies Record<string, Area>;

const FAT32_LBA = 0x0c;
const RAW = 0xda;
const EXTENDED_LBA = 0x0f;
const EXTENDED_CHS = 0x05;
const LINUX = 0x83;
const ACTIVE = 0x80;
/** Cylinders, heads and sectors are not used for 40 years: the largest value says "look at the sector numbers". */
const CHS = [0xfe, 0xff, 0xff];

interface Entry {
  type: number;
  /** In sectors; in an extended table, relative as its rules say. */
  start: number;
  length: number;
  active?: boolean;
}

function tableSector(entries: readonly Entry[], diskId?: number): Buffer {
  const sector = Buffer.alloc(512);
  if (diskId !== undefined) sector.writeUInt32LE(diskId, 440);
  entries.forEach(({ type, start, length, active = false }, index) => {
    const at = 446 + index * 16;
    Buffer.from([active ? ACTIVE : 0, ...CHS, type, ...CHS]).copy(sector, at);
    sector.writeUInt32LE(start, at + 8);
    sector.writeUInt32LE(length, at + 12);
  });
  sector.writeUInt16BE(0x55aa, 510);
  return sector;
}

const sectors = (mib: number) => mib * MIB_SECTORS;

/**
 * The partition tables of the card: the MBR, which every Pi's boot ROM reads, and the tables of the extended partition, which holds the
 * slots as 5 and 6. Both of those lie before slot A, so that a file which ends after slot A has them.
 * @returns sectors with the byte offset where each belongs
 */
export function partitionTables(): { offset: number; sector: Buffer }[] {
  const { boot, state, extended, slotA, slotB, data } = LAYOUT;
  const whole = (type: number, area: Area, active = false): Entry => ({
    type,
    start: sectors(area.startMib),
    length: sectors(area.sizeMib),
    active,
  });
  const mbr = tableSector([whole(FAT32_LBA, boot, true), whole(RAW, state), whole(EXTENDED_LBA, extended), whole(LINUX, data)], DISK_ID);
  const base = sectors(extended.startMib);
  const secondTable = base + MIB_SECTORS / 2;
  // in an extended table, the partition counts from the table itself, the next table from the extended partition's start
  const first = tableSector([
    { type: LINUX, start: sectors(slotA.startMib) - base, length: sectors(slotA.sizeMib) },
    { type: EXTENDED_CHS, start: secondTable - base, length: sectors(slotB.startMib + slotB.sizeMib) - secondTable },
  ]);
  const second = tableSector([{ type: LINUX, start: sectors(slotB.startMib) - secondTable, length: sectors(slotB.sizeMib) }]);
  return [
    { offset: 0, sector: mbr },
    { offset: base * 512, sector: first },
    { offset: secondTable * 512, sector: second },
  ];
}
