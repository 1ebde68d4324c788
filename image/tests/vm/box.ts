import { built } from './built.ts';
import { CARD_SIZE, Disk } from './disk.ts';
import { putBootFiles } from './fat.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { findQemu } from './qemu.ts';

export interface BoxOptions extends Omit<Partial<MachineOptions>, 'name' | 'disk'> {
  /** Files that a person put on the boot partition after flashing. */
  bootFiles?: Readonly<Record<string, string | Buffer>>;
  cardSize?: number;
  /** What is flashed; the built image when nothing is said. A card that is not written any more can be another one's start. */
  image?: string;
}

/** A board with a freshly flashed card, switched off. Remove it in `afterAll`. */
export async function newBox(name: string, { bootFiles = {}, cardSize = CARD_SIZE, image, ...options }: BoxOptions = {}): Promise<Machine> {
  const qemu = await findQemu();
  const disk = await Disk.flash(qemu, image ?? built('card'), cardSize);
  if (Object.keys(bootFiles).length > 0) await putBootFiles(disk, bootFiles);
  return await Machine.build(qemu, { uBoot: built('uBootVirt'), ...options, name, disk });
}

/** The same, switched on; resolves when it has its root shell and all services are ready. */
export async function startedBox(name: string, options: BoxOptions = {}): Promise<Machine> {
  const box = await newBox(name, options);
  try {
    await box.powerOn();
    await box.up();
    await box.shell();
    return box;
  } catch (error) {
    await box.remove();
    throw error;
  }
}
