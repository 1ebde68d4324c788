import { expect, test } from 'vitest';
import { withoutNetworkBoot } from './u-boot.ts';

const binary = (environment: readonly string[]) =>
  Buffer.from(`code\0\0${environment.map((line) => `${line}\0`).join('')}\0more code`, 'latin1');

test('targets in the network are gone; everything else stands where and as it was', () => {
  const changed = withoutNetworkBoot(binary(['bootdelay=2', 'boot_targets=mmc usb pxe dhcp', 'stdin=serial', 'x=y']));
  expect(changed.toString('latin1')).toBe(
    `code\0\0bootdelay=2\0boot_targets=mmc usb\0stdin=serial\0x=y\0${'\0'.repeat(' pxe dhcp'.length)}\0more code`,
  );
});

test('a binary that it does not know is refused', () => {
  expect(() => withoutNetworkBoot(binary(['bootdelay=2']))).toThrow(/not exactly one/);
  expect(() => withoutNetworkBoot(Buffer.concat([binary(['boot_targets=mmc']), binary(['boot_targets=usb'])]))).toThrow(/not exactly one/);
  expect(() => withoutNetworkBoot(binary(['boot_targets=dhcp']))).toThrow(/no target beside the network/);
});
