import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Kernel } from './kernel/kernel.ts';
import { type Apt, type DebianPackage, unpackPackages } from './layers/apt.ts';
import { UNPACKED } from './layers/recipe.ts';
import { run } from './run.ts';
import { withoutNetworkBoot } from './u-boot.ts';

/** Files that the Pi's boot chain and the build want, from packages that are never installed. */
export interface Firmware {
  path: string;
  packages: DebianPackage[];
  busybox: string;
  /** Binaries that ask no network. */
  ubootQemu: Buffer;
  ubootPi: Buffer;
}

export async function unpackFirmware(apt: Apt): Promise<Firmware> {
  const firmware = await unpackPackages(apt, UNPACKED.firmware.packages, UNPACKED.firmware.suite);
  const tools = await unpackPackages(apt, UNPACKED.initramfs.packages, UNPACKED.initramfs.suite);
  const uBoot = (board: string) => withoutNetworkBoot(readFileSync(join(firmware.path, 'usr/lib/u-boot', board, 'u-boot.bin')));
  return {
    path: firmware.path,
    packages: [...firmware.packages, ...tools.packages],
    busybox: join(tools.path, 'usr/bin/busybox'),
    ubootQemu: uBoot('qemu_arm64'),
    ubootPi: uBoot('rpi_arm64'),
  };
}

/** First-stage loader of a Pi 3 and Zero 2 W, and the firmware of Pi 3 and 4 in their plain form; a Pi 5 has it all in its flash. */
const PI_FILES = ['bootcode.bin', 'start.elf', 'fixup.dat', 'start4.elf', 'fixup4.dat'];
/** As long as the longest report: it is only ever written over, so that a power cut cannot harm the file system. */
const REPORT_BYTES = 16 * 1024;

/** Lays the boot partition's files into a folder. */
export async function layBootFiles(out: string, firmware: Firmware, kernel: Kernel, epochS: number): Promise<void> {
  mkdirSync(out, { recursive: true });
  for (const name of PI_FILES) copyFileSync(join(firmware.path, 'usr/lib/raspi-firmware', name), join(out, name));
  writeFileSync(join(out, 'u-boot.bin'), firmware.ubootPi);
  for (const dtb of globSync('broadcom/*.dtb', { cwd: kernel.dtbs })) copyFileSync(join(kernel.dtbs, dtb), join(out, basename(dtb)));
  const here = join(import.meta.dirname, 'boot');
  for (const name of globSync('*.{txt,example}', { cwd: here })) copyFileSync(join(here, name), join(out, name));
  writeFileSync(join(out, 'ledge-report.txt'), `${' '.repeat(REPORT_BYTES - 2)}\r\n`);
  await run(
    'mkimage',
    ['-A', 'arm64', '-O', 'linux', '-T', 'script', '-C', 'none', '-n', 'Ledge', '-d', join(here, 'boot.cmd'), join(out, 'boot.scr')],
    {
      environment: { SOURCE_DATE_EPOCH: String(epochS) },
    },
  );
}
