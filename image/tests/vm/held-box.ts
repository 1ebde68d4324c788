import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startedBox } from './box.ts';
import type { Machine } from './machine.ts';

/** Where the suite keeps a started box for all its files; without it each file starts its own. */
const folder = process.env.EDGE_HELD_BOX;
const card = (folder: string) => join(folder, 'card.qcow2');
const memory = (folder: string) => join(folder, 'memory');

/** Starts a box and keeps it as it is when all is ready: its card and its memory, which {@link readyBox} goes on from. */
export async function holdBox(folder: string): Promise<void> {
  const box = await startedBox('held');
  await box.hold(memory(folder));
  box.disk.moveTo(card(folder));
}

/**
 * A box that runs with all services ready: a copy of the one that the suite holds, which spares a start, or one that starts now. All copies
 * have one identity, and the time of the hour when it was held. Remove it in `afterAll`.
 */
export async function readyBox(name: string): Promise<Machine> {
  const isHeld = folder !== undefined && existsSync(card(folder));
  return await startedBox(name, isHeld ? { image: card(folder), memory: memory(folder) } : {});
}
