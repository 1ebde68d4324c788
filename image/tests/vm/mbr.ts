/** Where a partition is, in bytes. */
export interface Extent {
  start: number;
  size: number;
}

const SECTOR = 512;
const TABLE = 446;
const EXTENDED = new Set([0x05, 0x0f, 0x85]);

interface Entry extends Extent {
  type: number;
}

function entriesOf(sector: Buffer): Entry[] {
  if (sector.readUInt16LE(510) !== 0xaa55) throw new Error('no partition table');
  return [0, 1, 2, 3].map((i) => {
    const at = TABLE + 16 * i;
    return { type: sector.readUInt8(at + 4), start: sector.readUInt32LE(at + 8) * SECTOR, size: sector.readUInt32LE(at + 12) * SECTOR };
  });
}

/**
 * The partitions of a disk by their numbers as Linux counts them: 1–4 in the table, 5 and up in the extended one.
 * @param read gives `size` bytes from `offset`
 */
export async function readMbr(read: (offset: number, size: number) => Promise<Buffer>): Promise<Map<number, Extent>> {
  const primary = entriesOf(await read(0, SECTOR));
  const partitions = new Map<number, Extent>();
  for (const [i, { type, start, size }] of primary.entries()) if (type !== 0) partitions.set(i + 1, { start, size });
  const extended = primary.find(({ type }) => EXTENDED.has(type));
  let at = extended?.start;
  for (let number = 5; extended && at !== undefined; number++) {
    const [logical, next] = entriesOf(await read(at, SECTOR));
    if (logical && logical.type !== 0) partitions.set(number, { start: at + logical.start, size: logical.size });
    at = next && next.type !== 0 ? extended.start + next.start : undefined;
  }
  return partitions;
}
