import { cpSync, createReadStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../run.ts';
import { type Extent, readMbr } from './mbr.ts';
import type { Qemu } from './qemu.ts';
import { parseState, type SlotState } from './slot-state.ts';

const GIB = 2 ** 30;
/** The smallest card that Ledge must fit on; a power of two, as the Pi's card reader in QEMU wants it. */
export const CARD_SIZE = 4 * GIB;

export type PartitionName = 'boot' | 'state' | 'slot-a' | 'slot-b' | 'data';
const NUMBER: Record<PartitionName, number> = { boot: 1, state: 2, 'slot-a': 5, 'slot-b': 6, data: 4 };

/**
 * A flashed card: a qcow2 file over the built image, which is never written. The host reads and writes it only while no machine runs.
 */
export class Disk {
  readonly file: string;
  readonly #qemu: Qemu;
  readonly #folder: string;
  #files = 0;

  private constructor(qemu: Qemu, folder: string) {
    this.#qemu = qemu;
    this.#folder = folder;
    this.file = join(folder, 'card.qcow2');
  }

  /** Flashes `image` (a raw file, or another disk's file, which must then stay as it is) onto a new card. */
  static async flash(qemu: Qemu, image: string, size = CARD_SIZE): Promise<Disk> {
    const disk = new Disk(qemu, mkdtempSync(join(tmpdir(), 'ledge-card-')));
    const format = image.endsWith('.qcow2') ? 'qcow2' : 'raw';
    await run(qemu.img, ['create', '-q', '-f', 'qcow2', '-b', image, '-F', format, disk.file, String(size)]);
    return disk;
  }

  /** Bytes of the card; `offset` and `size` in whole sectors. */
  async read(offset: number, size: number, running = false): Promise<Buffer> {
    const out = this.#scratch();
    await this.#copyOut({ start: offset, size }, out, running);
    const bytes = readFileSync(out);
    rmSync(out);
    return bytes;
  }

  /** Overwrites bytes of the card; `offset` and length in whole sectors. */
  async write(offset: number, bytes: Buffer): Promise<void> {
    const source = this.#scratch();
    writeFileSync(source, bytes);
    await this.#copyIn({ start: offset, size: bytes.length }, source);
    rmSync(source);
  }

  /** A file of its own for each use, as several may be in progress. */
  #scratch(): string {
    return join(this.#folder, `scratch-${++this.#files}`);
  }

  /** A part of the card as QEMU's tools name it. */
  #part({ start, size }: Extent): string {
    return `driver=raw,offset=${start},size=${size},file.driver=qcow2,file.file.driver=file,file.file.filename=${this.file}`;
  }

  async #copyOut(extent: Extent, file: string, running = false): Promise<void> {
    rmSync(file, { force: true });
    await run(this.#qemu.img, ['convert', ...(running ? ['-U'] : []), '--image-opts', '-O', 'raw', this.#part(extent), file]);
  }

  async #copyIn(extent: Extent, file: string): Promise<void> {
    if (statSync(file).size !== extent.size) throw new Error(`${file} does not fill its place on the card`);
    const target = ['--target-image-opts', this.#part(extent)];
    await run(this.#qemu.img, ['convert', '-n', '--image-opts', `driver=raw,file.driver=file,file.filename=${file}`, ...target]);
  }

  async extent(name: PartitionName, running = false): Promise<Extent> {
    const found = (await readMbr((offset, size) => this.read(offset, size, running))).get(NUMBER[name]);
    if (!found) throw new Error(`there is no partition ${name}`);
    return found;
  }

  async partition(name: PartitionName): Promise<Buffer> {
    const { start, size } = await this.extent(name);
    return await this.read(start, size);
  }

  /** @param options.running a machine has the card: what it has not flushed yet is not seen */
  async state({ running = false } = {}): Promise<SlotState> {
    const { start, size } = await this.extent('state', running);
    return parseState(await this.read(start, size, running));
  }

  /** Overwrites bytes of a partition; `offset` and length in whole sectors. */
  async overwrite(name: PartitionName, offset: number, bytes: Buffer): Promise<void> {
    const { start, size } = await this.extent(name);
    if (offset + bytes.length > size) throw new RangeError(`${name} has only ${size} bytes`);
    await this.write(start + offset, bytes);
  }

  /** Does a text occur anywhere in a partition, free space included? Across the edges of pieces too. */
  async contains(name: PartitionName, text: string): Promise<boolean> {
    return await this.withPartition(name, async (file) => {
      let rest = Buffer.alloc(0);
      for await (const piece of createReadStream(file, { highWaterMark: 4 << 20 }) as AsyncIterable<Buffer>) {
        const bytes = Buffer.concat([rest, piece]);
        if (bytes.includes(text)) return true;
        rest = bytes.subarray(-text.length);
      }
      return false;
    });
  }

  /** Runs `use` with a raw copy of a partition in a file; `writeBack` puts the file back afterwards. */
  async withPartition<T>(name: PartitionName, use: (file: string) => Promise<T>, { writeBack = false } = {}): Promise<T> {
    const extent = await this.extent(name);
    const file = this.#scratch();
    await this.#copyOut(extent, file);
    try {
      const result = await use(file);
      if (writeBack) await this.#copyIn(extent, file);
      return result;
    } finally {
      rmSync(file, { force: true });
    }
  }

  /** The card's file goes elsewhere, where it outlives this object. */
  moveTo(file: string): void {
    cpSync(this.file, file);
    this.remove();
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
