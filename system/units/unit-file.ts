import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Settings of a unit by section, such as `Service`; each key with its values in the order in which they stand. */
export type UnitFile = Record<string, Record<string, string[]>>;

/** Reads a unit's text, systemd.syntax(7): sections, `Key=value`, comments, lines that go on after a backslash. */
export function parseUnit(text: string, unit: UnitFile = {}): UnitFile {
  let section = '';
  for (const line of text.replaceAll(/\\\n\s*/g, ' ').split('\n')) {
    const named = /^\[(\w+)\]$/.exec(line.trim())?.[1];
    if (named) section = named;
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line.trim()) ?? [];
    if (!key || value === undefined || line.trimStart().startsWith('#')) continue;
    unit[section] ??= {};
    const values = (unit[section] as Record<string, string[]>)[key] ?? [];
    // an empty value forgets those before, systemd.syntax(7)
    (unit[section] as Record<string, string[]>)[key] = value === '' ? [] : [...values, value.trim()];
  }
  return unit;
}

/** A unit as systemd sees it: the file and its drop-ins. */
export function readUnit(file: string): UnitFile {
  const unit = parseUnit(readFileSync(file, 'utf8'));
  const dropIns = `${file}.d`;
  if (!existsSync(dropIns)) return unit;
  for (const name of readdirSync(dropIns).sort()) parseUnit(readFileSync(join(dropIns, name), 'utf8'), unit);
  return unit;
}

/** The last value of a key that has one value. */
export const lastOf = (unit: UnitFile, section: string, key: string): string | undefined => unit[section]?.[key]?.at(-1);

/** All words of a key that takes a list. */
export const wordsOf = (unit: UnitFile, section: string, key: string): string[] =>
  (unit[section]?.[key] ?? []).flatMap((value) => value.split(/\s+/)).filter(Boolean);

/** Programs that a unit starts, without systemd's prefixes (`-`, `+`, `!`, `@`, `:`). */
export const programsOf = (unit: UnitFile): string[] =>
  Object.entries(unit.Service ?? {})
    .filter(([key]) => /^Exec(Start|Stop|Reload|Condition)/.test(key))
    .flatMap(([, values]) => values)
    .map((line) => (line.split(/\s+/)[0] ?? '').replace(/^[-+!@:]+/, ''));

/** Names of units in a folder: files of the kinds that systemd knows. */
export const unitNames = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /\.(service|target|timer|path|mount|socket)$/.test(name))
    .map((name) => basename(name))
    .sort();
