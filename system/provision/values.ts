import { existsSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { edgeSettingsSchema } from '@ledge/kit/config.ts';
import { MIN_PASSWORD_LENGTH, passwordFault } from '@ledge/kit/password-rules.ts';
import { z } from 'zod';
import { isTaken } from './source.ts';
import { parseSshKey } from './ssh-key.ts';
import type { WifiKey } from './wishes.ts';

export const LANGUAGES = ['en', 'fr'] as const;
const MAX_ADMIN_PASSWORD = 1024;
/** IEEE 802.11-2020, 9.4.2.2. */
const MAX_SSID_BYTES = 32;
/** Memory that a password check may take: 128 · N · r bytes (RFC 7914). */
const MAX_SCRYPT_BYTES = 64 * 1024 * 1024;

/** ISO 3166-1 alpha-2, as officially assigned. */
const COUNTRIES = new Set(
  [
    'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK',
    'CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS',
    'GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV',
    'LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM',
    'PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR',
    'TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW',
  ]
    .join(' ')
    .split(' '),
);

const text = z.string('one line of text is wanted');
const oneLine = text.trim().refine((value) => !/\p{Cc}/u.test(value), 'text without line breaks and control characters is wanted');

export const nameSchema = oneLine.refine(
  (value) => edgeSettingsSchema.shape.name.safeParse(value).success,
  'a name of 1 to 64 characters is wanted, such as Barn',
);

/** RFC 1123: a label of at most 63 letters, digits and hyphens. A domain behind it (`barn.local`) is left out. */
export const hostnameSchema = oneLine
  .transform((value) => value.toLowerCase().split('.')[0] ?? '')
  .refine(
    (value) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value),
    'letters from a to z, digits and hyphens are wanted, at most 63, such as barn',
  );

export const countrySchema = oneLine
  .transform((value) => value.toUpperCase())
  .refine((value) => COUNTRIES.has(value), 'the two letters of a country as in ISO 3166 are wanted, such as DE, FR or GB');

export const languageSchema = oneLine.pipe(z.enum(LANGUAGES, `one of ${LANGUAGES.join(', ')} is wanted`));

/** @param dir where the time zones lie, `/usr/share/zoneinfo` */
export const timezoneSchema = (dir: string) =>
  oneLine.refine((value) => isZone(dir, value), 'a time zone such as Europe/Paris or Etc/UTC is wanted');

function isZone(dir: string, zone: string): boolean {
  if (!/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+){0,2}$/.test(zone) || /^(posix|right)\//.test(zone)) return false;
  const file = join(dir, zone);
  return existsSync(file) && statSync(file).isFile();
}

export const flagSchema = z
  .string('yes or no is wanted')
  .transform((value) => value.toLowerCase())
  .pipe(z.enum(['true', 'false', 'yes', 'no', 'on', 'off'], 'yes or no is wanted'))
  .transform((value) => ['true', 'yes', 'on'].includes(value));

export const ssidSchema = z
  .string("the network's name is wanted")
  .transform((value) => Buffer.from(value))
  .refine((bytes) => bytes.length > 0 && bytes.length <= MAX_SSID_BYTES, `a network's name has 1 to ${MAX_SSID_BYTES} bytes`);

/** Passphrase, or ready-made key. */
export const wifiKeySchema = z.string('text is wanted').transform((value, { addIssue }): WifiKey => {
  if (isTaken(value)) return { kind: 'taken' };
  if (/^[0-9A-Fa-f]{64}$/.test(value)) return { kind: 'psk', value: value.toLowerCase() };
  const bytes = Buffer.byteLength(value);
  if (bytes < 8 || bytes > 63 || /\p{Cc}/u.test(value)) {
    addIssue(`it has ${bytes} characters; 8 to 63 are wanted, or 64 hexadecimal digits`);
  }
  return { kind: 'passphrase', value };
});

export const hotspotKeySchema = z.string('text is wanted').superRefine((value, { addIssue }) => {
  if (!/^[\x20-\x7e]{8,63}$/.test(value)) {
    addIssue(`it has ${[...value].length} characters; 8 to 63 are wanted, of those on an English keyboard`);
  }
});

/** By the rules of the server, which would refuse what is easy to guess. @param names what belongs to the box and so is no secret */
export const adminPasswordSchema = (names: readonly string[] = []) =>
  z.string('text is wanted').superRefine((value, { addIssue }) => {
    const length = [...value].length;
    const isFitting = length >= MIN_PASSWORD_LENGTH && length <= MAX_ADMIN_PASSWORD;
    if (!isFitting) addIssue(`it has ${length} characters; ${MIN_PASSWORD_LENGTH} to ${MAX_ADMIN_PASSWORD} are wanted`);
    const fault = isFitting ? passwordFault(value, ['admin', ...names]) : undefined;
    if (fault) addIssue(`it is too easy to guess: ${fault}`);
  });

/** `scrypt$N$r$p$salt$key` as the server stores it, with bounds on what checking it costs. */
export const adminHashSchema = z.string('text is wanted').superRefine((value, { addIssue }) => {
  const [kind, N, r, p, salt = '', key = '', ...rest] = value.split('$');
  const [cost, block, parallel] = [N, r, p].map(Number) as [number, number, number];
  const isBase64 = [salt, key].every((part) => /^[A-Za-z0-9_-]+$/.test(part));
  const isWhole = kind === 'scrypt' && rest.length === 0 && isBase64 && Buffer.from(key, 'base64url').length >= 32;
  const isPower = Number.isInteger(Math.log2(cost)) && cost >= 2 ** 14;
  if (!isWhole || !isPower || !(block >= 1) || !(parallel >= 1 && parallel <= 4) || Buffer.from(salt, 'base64url').length < 8) {
    addIssue('a hash as scrypt$N$r$p$salt$key is wanted, with N from 16384 and salt and key in base64url');
  } else if (128 * cost * block > MAX_SCRYPT_BYTES) {
    addIssue(`checking it would take ${(128 * cost * block) / 2 ** 20} MiB; at most ${MAX_SCRYPT_BYTES / 2 ** 20} are wanted`);
  }
});

/** One public key, as it shall stand in `authorized_keys`. */
export const sshKeySchema = z.string('a public key such as "ssh-ed25519 AAAA... you@pc" is wanted').transform((value, { addIssue }) => {
  const key = parseSshKey(value);
  if ('line' in key) return key.line;
  addIssue(key.fault);
  return z.NEVER;
});

/** `192.168.1.5/24`, `fd00::5/64`. */
export const addressSchema = z.string('an address such as 192.168.1.5/24 is wanted').transform((value, { addIssue }) => {
  const [address = '', prefix = '', ...rest] = value.split('/');
  const family = isIP(address);
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (family === 0 || rest.length > 0 || bits < 1 || bits > (family === 4 ? 32 : 128))
    addIssue('an address such as 192.168.1.5/24 is wanted');
  return { address, prefix: bits };
});

export const ipSchema = z
  .string('an address such as 192.168.1.1 is wanted')
  .refine((value) => isIP(value) !== 0, 'an address such as 192.168.1.1 is wanted');
