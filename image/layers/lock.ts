import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, CARD_ARCHITECTURE } from './recipe.ts';

/** Which package versions the layers were last built from and tested with, and the time that all their files bear at most. */
export interface Lock {
  /** RFC 3339. */
  date: string;
  /** Layer (see {@link lockedName}) → package → version. */
  layers: Record<string, Record<string, string>>;
}

/** What the lock calls a layer: by its name for the card's processor, with the processor before it for others. */
export const lockedName = (layer: string, architecture: Architecture) =>
  architecture === CARD_ARCHITECTURE ? layer : `${architecture}/${layer}`;

/** Versions of what is in layers, as the lock has them. */
export const versionsOf = (
  layers: readonly { name: string; packages: readonly { name: string; version: string }[] }[],
  architecture: Architecture = CARD_ARCHITECTURE,
): Lock['layers'] =>
  Object.fromEntries(
    layers.map(({ name, packages }) => [
      lockedName(name, architecture),
      Object.fromEntries(packages.map((one) => [one.name, one.version])),
    ]),
  );

export const LOCK_FILE = join(import.meta.dirname, 'lock.json');

export const readLock = (file = LOCK_FILE): Lock =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Lock) : { date: '2026-11-24T00:00:00Z', layers: {} };

export function writeLock(lock: Lock, file = LOCK_FILE): void {
  const sorted = Object.fromEntries(
    Object.entries(lock.layers).map(([layer, packages]) => [
      layer,
      Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1))),
    ]),
  );
  writeFileSync(file, `${JSON.stringify({ date: lock.date, layers: sorted }, null, 2)}\n`);
}

/** In words, what was built otherwise than the lock says; empty when nothing was. */
export function differences(lock: Lock, built: Lock['layers']): string[] {
  const lines: string[] = [];
  for (const [layer, packages] of Object.entries(built)) {
    const locked = lock.layers[layer] ?? {};
    for (const [name, version] of Object.entries(packages)) {
      if (locked[name] === undefined) lines.push(`${layer}: ${name} ${version} is new`);
      else if (locked[name] !== version) lines.push(`${layer}: ${name} is ${version}, locked is ${locked[name]}`);
    }
    for (const name of Object.keys(locked)) if (packages[name] === undefined) lines.push(`${layer}: ${name} is gone`);
  }
  return lines;
}

/**
 * Tells what was built otherwise than the lock says, or writes it there.
 * @param options.update write it
 * @param options.refuse @throws Error when anything differs
 */
export function holdToLock(
  lock: Lock,
  built: Lock['layers'],
  { update, refuse, say }: { update: boolean; refuse: boolean; say(text: string): void },
): void {
  const changed = differences(lock, built);
  if (changed.length === 0) return;
  if (update) {
    writeLock({ date: lock.date, layers: { ...lock.layers, ...built } });
    say(`the lock file has ${changed.length} new entries`);
    return;
  }
  console.log(`Built otherwise than image/layers/lock.json says (${changed.length}):\n  ${changed.join('\n  ')}`);
  if (refuse) throw new Error('Package versions differ from the lock file; --update-lock writes them there.');
}
