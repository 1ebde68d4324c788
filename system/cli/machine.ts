import type { MachineAct } from '@ledge/contract';
import { Facts } from '@ledge/doctor/facts.ts';
import { CliError, EXIT } from './error.ts';
import { refused, systemctl } from './services/systemd.ts';
import type { World } from './world.ts';

const RESET_UNIT = 'ledge-reset.service';
const ARGUMENTS: Record<MachineAct, readonly string[]> = {
  reboot: ['reboot'],
  'power-off': ['poweroff'],
  'factory-reset': ['start', '--no-block', '--', RESET_UNIT],
};

/** @throws CliError `unsupported` on machines that others restart */
export async function onlyOnImage({ ports }: World): Promise<void> {
  if (await new Facts(ports).isImage()) return;
  throw new CliError(EXIT.unsupported, 'Only the card image does this; here, stop and start the machine yourself.');
}

/** Asks systemd, which asks its rules; whoever sits at the console may. @throws CliError */
export async function perform(world: World, act: MachineAct): Promise<void> {
  await onlyOnImage(world);
  refused(await systemctl(world, ARGUMENTS[act]), 'It was not done');
}
