import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFile } from './formats/index.ts';
import type { HostSettings, NetworkProfiles } from './ports.ts';
import { type Note, type Patch, type Reading, ssidText, type Wifi, type Wired } from './wishes.ts';

export const ZONEINFO = '/usr/share/zoneinfo';
export const ED25519 = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMclWA1BqsVbNKKNWnU0mA0OoynTFIa67AEfIz2W+YGv anna@laptop';
/** Of the passphrase "correct horse" for the network Home. */
export const HOME_PSK = '474ba82aa7ecbb0ee0d6a6f625529213ba1e52c48f85417392be8654a469b297';

export const sample = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'samples', name));

/** Reads a text or bytes as the file of that name. */
export const read = (name: string, content: string | Buffer): Reading => readFile(name, Buffer.from(content), ZONEINFO);

/** What a reading says, as plain values. */
export function values(reading: Reading) {
  const { wifi, wired, ...single } = reading.says;
  return {
    ...Object.fromEntries(Object.entries(single).map(([key, { value }]) => [key, value])),
    ...(wifi.length > 0 ? { wifi: wifi.map(({ value }) => ({ ...value, ssid: ssidText(value.ssid) })) } : {}),
    ...(wired.length > 0 ? { wired: wired.map(({ value }) => value) } : {}),
  };
}

export const told = (reading: { notes: Note[] }, kind: Note['kind'] = 'mistake'): string[] =>
  reading.notes.filter((note) => note.kind === kind).map(({ file, line, message }) => `${file}${line ? `:${line}` : ''} ${message}`);

/** The file once its secrets have been taken away. */
export function patched(content: string | Buffer, patches: readonly Patch[]): Buffer {
  const bytes = Buffer.from(content);
  for (const { start, bytes: patch } of patches) patch.copy(bytes, start);
  return bytes;
}
export const wiped = (content: string | Buffer, reading: Reading): Buffer =>
  patched(
    content,
    reading.secrets.map(({ patch }) => patch),
  );

/** A machine that remembers what it was asked. `failing`: what it answers with an error. */
export class FakeMachine implements NetworkProfiles, HostSettings {
  readonly profiles = new Map<string, Wifi>();
  readonly wired: Wired[] = [];
  readonly settings: Record<string, string> = {};
  failing = new Set<string>();

  async putWifi(wifi: Wifi): Promise<'done' | 'missing-key'> {
    this.#fail('putWifi');
    const present = this.profiles.get(ssidText(wifi.ssid));
    if (wifi.key.kind === 'taken' && !present) return 'missing-key';
    this.profiles.set(ssidText(wifi.ssid), wifi.key.kind === 'taken' && present ? { ...wifi, key: present.key } : wifi);
    return 'done';
  }

  async putWired(wired: Wired): Promise<void> {
    this.#fail('putWired');
    this.wired.push(wired);
  }

  async setHostname(label: string): Promise<void> {
    this.#fail('setHostname');
    this.settings.hostname = label;
  }

  async setPrettyName(name: string): Promise<void> {
    this.#fail('setPrettyName');
    this.settings.prettyName = name;
  }

  async setTimezone(zone: string): Promise<void> {
    this.#fail('setTimezone');
    this.settings.timezone = zone;
  }

  #fail(what: string): void {
    if (this.failing.has(what)) throw new Error(`${what} is not possible now`);
  }
}

/** A folder as a card, and one as the data directory. */
export class TestBox implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'ledge-provision-'));

  put(name: string, content: string | Buffer): void {
    writeFileSync(join(this.root, name), content);
  }

  get(name: string): string {
    return readFileSync(join(this.root, name), 'utf8');
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
