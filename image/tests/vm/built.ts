import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where `./build.sh image rpi` puts what it makes; `EDGE_IMAGE` names another folder. */
export const IMAGE_FOLDER = process.env.EDGE_IMAGE ?? join(import.meta.dirname, '..', '..', '..', 'dist', 'image');

const FILES = {
  card: ['ledge-rpi.img', './build.sh image rpi'],
  slot: ['slot.img', './build.sh image rpi'],
  bundle: ['ledge-rpi.raucb', './build.sh image rpi'],
  uBootVirt: ['u-boot-qemu.bin', './build.sh image rpi'],
  uBootPi: ['u-boot-rpi.bin', './build.sh image rpi'],
  projectCard: ['weather-station/weather-station-rpi.img', './build.sh image rpi --project examples/weather-station'],
  bare: ['bare-debian.img', 'node image/bare.ts dist/image/bare-debian.img'],
} as const;

/** @throws Error that names the missing file and the command that makes it */
export function built(name: keyof typeof FILES): string {
  const [file, command] = FILES[name];
  const path = join(IMAGE_FOLDER, file);
  if (!existsSync(path)) throw new Error(`${path} is missing; ${command} makes it`);
  return path;
}
