import { shown } from '@ledge/contract';
import type { z } from 'zod';
import type { Source } from '../source.ts';
import { isTaken, stars } from '../source.ts';
import { readToml, type TomlValue } from '../toml.ts';
import { countrySchema, hostnameSchema, sshKeySchema, ssidSchema, timezoneSchema, wifiKeySchema } from '../values.ts';
import { emptyReading, type Note, type Reading, type WishId, wifiId } from '../wishes.ts';

const KNOWN: Record<string, readonly string[]> = {
  '': ['config_version'],
  system: ['hostname'],
  user: ['name', 'password', 'password_encrypted', 'groups', 'passwordless_sudo'],
  ssh: ['enabled', 'password_authentication', 'authorized_keys'],
  wlan: ['ssid', 'ssid_hex', 'password', 'password_encrypted', 'hidden', 'country', 'key_mgmt'],
  locale: ['timezone', 'keymap'],
};
const WHY_UNUSED: Record<string, string> = {
  connect: 'Raspberry Pi Connect is not part of Ledge',
  interfaces: 'interfaces of the Raspberry Pi are set in config.txt on this card, not here',
  'ssh.ssh_import_id': 'keys are not fetched from the internet; write them into authorized_keys',
};

/**
 * Reads `custom.toml` (Raspberry Pi OS bookworm) and `rpi-preseed.toml` (Raspberry Pi Imager from 2026), which share their sections.
 */
export function readPreseed(source: Source, zoneinfo: string): Reading {
  const reading = emptyReading();
  const { toml, notes } = readToml(source);
  reading.notes = notes;
  const note = (kind: Note['kind'], line: number, message: string) => notes.push({ kind, file: source.file, line, message });
  const secret = (found: TomlValue, wish: WishId) => {
    const raw = source.text.slice(found.start, found.end);
    reading.secrets.push({ file: source.file, wish, patch: source.patch(found.start, found.end, stars(raw)) });
  };
  const take = <S extends z.ZodType>(name: string, found: TomlValue | undefined, schema: S, isSecret = false): z.output<S> | undefined => {
    if (!found) return undefined;
    const value = Array.isArray(found.value) ? undefined : String(found.value);
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    note('mistake', found.line, `${name}${isSecret ? ': ' : ` is ${shown(value)}; `}${result.error.issues[0]?.message ?? ''}`);
    return undefined;
  };
  const said = <T>(found: TomlValue | undefined, value: T) => ({ file: source.file, line: found?.line ?? 1, value });

  for (const [name, keys] of toml) {
    const known = KNOWN[name];
    const [first] = keys.values();
    if (!known && first) note('unused', first.line, `[${name}]: ${WHY_UNUSED[name] ?? 'Ledge does not use this'}`);
    for (const [key, { line }] of known ? keys : []) {
      const full = name ? `${name}.${key}` : key;
      if (!known?.includes(key)) note('unused', line, `${full}: ${WHY_UNUSED[full] ?? 'Ledge does not use this'}`);
    }
  }
  const token = toml.get('connect')?.get('token');
  if (token && !isTaken(String(token.value))) secret(token, 'unused');

  const hostname = toml.get('system')?.get('hostname');
  const host = take('system.hostname', hostname, hostnameSchema);
  if (host) reading.says.hostname = said(hostname, host);

  const password = toml.get('user')?.get('password');
  if (password) {
    note('unused', password.line, 'user.password is not used: Ledge has no password logins; give an SSH key');
    if (!isTaken(String(password.value))) secret(password, 'unused');
  }

  const authorized = toml.get('ssh')?.get('authorized_keys');
  if (authorized) {
    const lines = Array.isArray(authorized.value) ? authorized.value : [authorized];
    const keys = lines.flatMap((line) => take('ssh.authorized_keys', line, sshKeySchema, true) ?? []);
    if (keys.length > 0) reading.says.sshKeys = said(authorized, keys);
  }

  const timezone = toml.get('locale')?.get('timezone');
  const zone = take('locale.timezone', timezone, timezoneSchema(zoneinfo));
  if (zone) reading.says.timezone = said(timezone, zone);
  const keymap = toml.get('locale')?.get('keymap');
  if (keymap) note('unused', keymap.line, 'the keyboard layout is not used: nothing is typed at the box itself');

  const wlan = toml.get('wlan');
  const country = take('wlan.country', wlan?.get('country'), countrySchema);
  if (country) reading.says.country = said(wlan?.get('country'), country);
  const hex = wlan?.get('ssid_hex');
  const name = wlan?.get('ssid') ?? hex;
  const isHex = name !== undefined && name === hex;
  if (isHex && !/^(?:[0-9a-f]{2}){1,32}$/i.test(String(name.value))) {
    note('mistake', name.line, `wlan.ssid_hex is ${shown(name.value)}; 1 to 32 bytes in hexadecimal digits are wanted`);
  } else if (name) {
    const ssid = isHex ? Buffer.from(String(name.value), 'hex') : take('wlan.ssid', name, ssidSchema);
    const found = wlan?.get('password');
    const key = found && found.value !== '' ? take('wlan.password', found, wifiKeySchema, true) : ({ kind: 'open' } as const);
    if (ssid && key) {
      reading.says.wifi.push(said(name, { ssid, key, hidden: wlan?.get('hidden')?.value === true }));
      if (found && key.kind !== 'open' && key.kind !== 'taken') secret(found, wifiId(ssid));
    }
  }
  return reading;
}
