import { shown } from '@ledge/contract';
import type { Source } from '../source.ts';
import { isTaken, stars } from '../source.ts';
import { countrySchema, hostnameSchema, sshKeySchema, timezoneSchema, wifiKeySchema } from '../values.ts';
import { emptyReading, type Note, type Reading, type WishId, wifiId } from '../wishes.ts';
import { readWpaSupplicant } from './wpa-supplicant.ts';

interface Command {
  line: number;
  words: string[];
}

/** The programs of Raspberry Pi OS that the script calls, by their last name. */
const PROGRAMS = ['imager_custom', 'userconf'];

/**
 * Reads `firstrun.sh` as Raspberry Pi Imager 1.6 to 2 writes it. It is never run: of its lines those are taken that call Raspberry Pi OS's
 * own helper with plain words, and the Wi-Fi settings that it would write where that helper is missing.
 */
export function readFirstrun(source: Source, zoneinfo: string): Reading {
  const reading = emptyReading();
  const { notes, says } = reading;
  const note = (kind: Note['kind'], line: number, message: string) => notes.push({ kind, file: source.file, line, message });
  note('unused', 1, 'the script is not run; what Raspberry Pi Imager writes into it was read instead');
  /** Secrets by their text: each of them stands in the script more than once. */
  const hidden = new Map<string, WishId>();

  for (const { line, words } of commands(source)) {
    const [program = '', act = '', ...rest] = words;
    if (program.endsWith('userconf')) {
      if (rest[0]) hidden.set(rest[0], 'unused');
      if (rest[0] && !isTaken(rest[0])) note('unused', line, 'no password is set: Ledge has no password logins; give an SSH key');
      continue;
    }
    const at = { file: source.file, line };
    if (act === 'set_hostname') {
      const name = hostnameSchema.safeParse(rest[0]);
      if (name.success) says.hostname = { ...at, value: name.data };
      else note('mistake', line, `the host name is ${shown(rest[0])}; ${name.error.issues[0]?.message}`);
    } else if (act === 'set_timezone') {
      const zone = timezoneSchema(zoneinfo).safeParse(rest[0]);
      if (zone.success) says.timezone = { ...at, value: zone.data };
      else note('mistake', line, `the time zone is ${shown(rest[0])}; ${zone.error.issues[0]?.message}`);
    } else if (act === 'enable_ssh') {
      const keys = rest.filter((word) => !word.startsWith('-')).map((word) => sshKeySchema.safeParse(word));
      for (const key of keys) if (!key.success) note('mistake', line, `an SSH key: ${key.error.issues[0]?.message}`);
      const good = keys.flatMap((key) => (key.success ? [key.data] : []));
      if (good.length > 0) says.sshKeys = { ...at, value: good };
    } else if (act === 'set_wlan') {
      const [ssid = '', password = '', country = ''] = rest.filter((word) => !['-h', '--hidden', '-p', '--plain'].includes(word));
      const code = countrySchema.safeParse(country);
      if (code.success) says.country = { ...at, value: code.data };
      else if (country !== '') note('mistake', line, `the country is ${shown(country)}; ${code.error.issues[0]?.message}`);
      const key = password === '' ? { success: true as const, data: { kind: 'open' as const } } : wifiKeySchema.safeParse(password);
      if (!key.success) note('mistake', line, `the password of Wi-Fi ${shown(ssid)}: ${key.error.issues[0]?.message}`);
      else if (ssid !== '') {
        const value = { ssid: Buffer.from(ssid), key: key.data, hidden: rest.some((word) => word === '-h' || word === '--hidden') };
        says.wifi.push({ ...at, value });
        if (password !== '') hidden.set(password, wifiId(value.ssid));
      }
    }
  }
  const heredoc = /<<'WPAEOF'[^\n]*\n([\s\S]*?)\nWPAEOF/d.exec(source.text)?.indices?.[1];
  if (heredoc && says.wifi.length === 0) {
    const inner = readWpaSupplicant(source, { start: heredoc[0], end: heredoc[1] });
    notes.push(...inner.notes);
    reading.secrets.push(...inner.secrets);
    says.wifi.push(...inner.says.wifi);
    if (inner.says.country) says.country ??= inner.says.country;
  }
  for (const [, hash = ''] of source.text.matchAll(/^\s*echo "\$FIRSTUSER:"?'?([^"'\n]+)/gm)) hidden.set(hash, 'unused');
  for (const [text, wish] of hidden) {
    if (isTaken(text) || text.length < 8) continue;
    if (!source.text.includes(text)) note('mistake', 1, 'a password in this file is written in parts and stays there; delete the file');
    for (let start = source.text.indexOf(text); start !== -1; start = source.text.indexOf(text, start + text.length)) {
      reading.secrets.push({ file: source.file, wish, patch: source.patch(start, start + text.length, stars(text)) });
    }
  }
  const token = /connect[^\n]*<<'EOF'[^\n]*\n([^\n]+)\nEOF/d.exec(source.text)?.indices?.[1];
  if (token) {
    const [start, end] = token;
    const text = source.text.slice(start, end);
    if (!isTaken(text)) reading.secrets.push({ file: source.file, wish: 'unused', patch: source.patch(start, end, stars(text)) });
  }
  return reading;
}

/** Lines that call one of the programs by its path, with words that need no shell to be understood. */
function* commands(source: Source): Generator<Command> {
  const pattern = new RegExp(`^[ \\t]*/usr/lib/[a-z-]+/(?:${PROGRAMS.join('|')})\\b[^\\n]*$`, 'gm');
  for (const match of source.text.matchAll(pattern)) {
    const words = shellWords(match[0].trim());
    const line = source.line(match.index);
    if (words) yield { line, words };
  }
}

/** Splits a line as the shell does; undefined where it would do more than split. */
function shellWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const sign = text[i] ?? '';
    if (sign === "'" || sign === '"') {
      const end = text.indexOf(sign, i + 1);
      if (end === -1) return undefined;
      const inner = text.slice(i + 1, end);
      if (sign === '"' && /[$`\\]/.test(inner)) return undefined;
      word = (word ?? '') + inner;
      i = end;
    } else if (/\s/.test(sign)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (/[$`\\;&|<>()]/.test(sign)) {
      return undefined;
    } else word = (word ?? '') + sign;
  }
  return word === undefined ? words : [...words, word];
}
