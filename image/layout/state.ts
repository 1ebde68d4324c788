import { crc32 } from 'node:zlib';

/** Size of each of the two copies, and where they are in the state partition; `overlays/rpi/etc/fw_env.config` says the same. */
export const STATE_COPY_BYTES = 0x1000;
export const STATE_COPY_OFFSETS = [0, 0x400000] as const;
/** A slot with so many tries left is confirmed and never counted; see boot/boot.cmd. */
export const CONFIRMED = 9;

/**
 * One copy of a redundant U-Boot environment as libubootenv reads it: CRC-32 of the data (little endian), a counter of one byte, then
 * `name=value` texts that each end in a zero byte, and zeros.
 * @throws Error when the variables do not fit
 */
export function stateCopy(variables: Readonly<Record<string, string>>, counter: number): Buffer {
  const copy = Buffer.alloc(STATE_COPY_BYTES);
  const text = Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\0`)
    .join('');
  if (text.length + 1 > STATE_COPY_BYTES - 5)
    throw new Error(`The slot state is ${text.length} bytes; at most ${STATE_COPY_BYTES - 6} fit.`);
  copy.write(text, 5, 'latin1');
  copy.writeUInt32LE(crc32(copy.subarray(5)), 0);
  copy.writeUInt8(counter & 0xff, 4);
  return copy;
}

/** The slot state of a freshly written card: slot A is confirmed, slot B is empty. */
export const firstState = (counter: number): Buffer =>
  stateCopy({ BOOT_A_LEFT: String(CONFIRMED), BOOT_B_LEFT: '0', BOOT_ORDER: 'A B' }, counter);
