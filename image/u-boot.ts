/** Boot targets of U-Boot that lie in the network. */
const NETWORK = ['dhcp', 'pxe'];
const TARGETS = 'boot_targets=';

/**
 * U-Boot's binary, with the same length, that looks for a system on its own media only. Debian's asks the network when it finds none there: in a
 * network with strangers, a damaged card would run what they serve.
 *
 * The default environment is a block of `name=value` texts in the binary, each ended by a zero, the last one by two (U-Boot, `include/env_default.h`).
 * @throws Error when the binary has not exactly one such setting
 */
export function withoutNetworkBoot(binary: Buffer): Buffer {
  const start = binary.indexOf(`\0${TARGETS}`) + 1;
  if (start === 0 || binary.indexOf(`\0${TARGETS}`, start) >= 0) throw new Error(`U-Boot's binary has not exactly one «${TARGETS}»`);
  const end = binary.indexOf(0, start);
  const blockEnd = binary.indexOf('\0\0', start);
  const kept = binary
    .toString('latin1', start + TARGETS.length, end)
    .split(' ')
    .filter((target) => target !== '' && !NETWORK.includes(target));
  if (kept.length === 0) throw new Error("U-Boot's binary knows no target beside the network");
  const block = Buffer.concat([Buffer.from(`${TARGETS}${kept.join(' ')}`, 'latin1'), binary.subarray(end, blockEnd)]);
  const changed = Buffer.from(binary);
  changed.fill(0, start, blockEnd);
  block.copy(changed, start);
  return changed;
}
