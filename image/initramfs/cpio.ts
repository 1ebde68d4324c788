/** One entry of a cpio archive; `mode` holds the file type (inode(7)). */
export interface CpioEntry {
  path: string;
  mode: number;
  content?: Buffer;
  /** Major and minor of a device node. */
  device?: [number, number];
}

export const FOLDER = 0o040755;
export const PROGRAM = 0o100755;
export const FILE = 0o100644;
export const LINK = 0o120777;

/**
 * An archive in the "newc" format that Linux unpacks as its initramfs (Documentation/driver-api/early-userspace/buffer-format.rst).
 * Inodes are numbered in order and every time is the epoch, so equal entries make equal bytes.
 */
export function cpio(entries: readonly CpioEntry[], epochS: number): Buffer {
  const parts: Buffer[] = [];
  let offset = 0;
  const add = (part: Buffer) => {
    parts.push(part);
    offset += part.length;
  };
  const pad = () => add(Buffer.alloc((4 - (offset % 4)) % 4));
  const write = ({ path, mode, content = Buffer.alloc(0), device: [major, minor] = [0, 0] }: CpioEntry, inode: number) => {
    const fields = [inode, mode, 0, 0, 1, epochS, content.length, 0, 0, major, minor, path.length + 1, 0];
    add(Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${path}\0`, 'latin1'));
    pad();
    add(content);
    pad();
  };
  entries.forEach((entry, index) => {
    write(entry, index + 1);
  });
  write({ path: 'TRAILER!!!', mode: 0 }, 0);
  add(Buffer.alloc((512 - (offset % 512)) % 512));
  return Buffer.concat(parts);
}
