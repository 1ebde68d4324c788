/** What the card asks of the box: one plain value, whatever the format it was written in. */

/** A WPA passphrase, a ready-made key of 64 hexadecimal digits (WPA2 only), an open network, or stars: taken at an earlier start. */
export type WifiKey = { kind: 'passphrase' | 'psk'; value: string } | { kind: 'open' } | { kind: 'taken' };

/** Fixed addresses; IPv4 and IPv6 may stand together. What is missing comes by DHCP and router advertisements. */
export interface IpSettings {
  addresses: { address: string; prefix: number }[];
  gateways: string[];
  dns: string[];
  search: string[];
}

export interface Wifi {
  /** 1 to 32 bytes, mostly UTF-8. */
  ssid: Buffer;
  key: WifiKey;
  hidden: boolean;
  ip?: IpSettings;
}

export interface Wired {
  /** Name of the network device, such as `eth0`. */
  device: string;
  ip: IpSettings;
}

/** The admin's first password, or its hash as `scrypt$N$r$p$salt$key`. */
export type FirstAdmin = { password: string } | { hash: string };

/** Wishes that there is one of. */
export interface SingleWishes {
  /** What people call the box. */
  name: string;
  /** First label of its address: `barn` is `http://barn.local/`. */
  hostname: string;
  /** ISO 3166 alpha-2, upper case. */
  country: string;
  /** As in the IANA data base: `Europe/Paris`. */
  timezone: string;
  language: string;
  /** Passphrase of the box's own set-up network. */
  hotspotKey: string;
  admin: FirstAdmin;
  /** Lines of `authorized_keys`; an empty list takes all keys away. */
  sshKeys: string[];
}

export interface Place {
  file: string;
  line: number;
}

/** A value and where it was said. */
export interface Said<T> extends Place {
  value: T;
}

export type SaidWishes = { [K in keyof SingleWishes]?: Said<SingleWishes[K]> } & { wifi: Said<Wifi>[]; wired: Said<Wired>[] };

/** `mistake`: to be corrected on the card; `unused`: understood, and not for Ledge; `conflict`: another file said it better. */
export interface Note extends Partial<Place> {
  kind: 'mistake' | 'unused' | 'conflict';
  message: string;
}

/** Which wish a secret belongs to. `unused`: nothing of Ledge wants it. */
export type WishId = keyof SingleWishes | `wifi:${string}` | `wired:${string}` | 'unused';

/** New bytes for the same place: never longer or shorter than what stood there. */
export interface Patch {
  /** Byte offset in the file. */
  start: number;
  bytes: Buffer;
}

/** A secret in a file: once its wish came true, the patch takes it away. */
export interface Secret {
  file: string;
  wish: WishId;
  patch: Patch;
}

/** What one file says. */
export interface Reading {
  says: SaidWishes;
  notes: Note[];
  secrets: Secret[];
}

export const emptyReading = (): Reading => ({ says: { wifi: [], wired: [] }, notes: [], secrets: [] });

export const wifiId = (ssid: Uint8Array): `wifi:${string}` => `wifi:${Buffer.from(ssid).toString('hex')}`;
export const wiredId = (device: string): `wired:${string}` => `wired:${device}`;

/** A network's name for people: as text where it is text, else in hexadecimal digits. */
export function ssidText(ssid: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(ssid);
    if (!/\p{Cc}/u.test(text)) return text;
  } catch {
    // not text
  }
  return `0x${Buffer.from(ssid).toString('hex')}`;
}
