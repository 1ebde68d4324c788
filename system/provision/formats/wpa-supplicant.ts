import { shown } from '@ledge/contract';
import type { Source } from '../source.ts';
import { isTaken, stars } from '../source.ts';
import { countrySchema, wifiKeySchema } from '../values.ts';
import { emptyReading, type Note, type Reading, ssidText, type WifiKey, type WishId, wifiId } from '../wishes.ts';

const MAX_SSID_BYTES = 32;
/** wpa_supplicant.conf(5): what of a network is a secret. */
const SECRET_FIELDS = [
  ...['psk', 'sae_password', 'password', 'private_key_passwd', 'private_key2_passwd', 'pin'],
  ...['wep_key0', 'wep_key1', 'wep_key2', 'wep_key3'],
];

interface Field {
  value: string;
  line: number;
  /** Offset of the value in the text. */
  start: number;
}
interface Block {
  line: number;
  fields: Map<string, Field>;
  /** The passphrase itself, which `wpa_passphrase` writes as a comment above the key. */
  comments: Field[];
}

/**
 * Reads `wpa_supplicant.conf`: the country and each `network={…}` block.
 * @param piece offsets of the part to read, for a script that has the file within it
 */
export function readWpaSupplicant(source: Source, piece = { start: 0, end: source.text.length }): Reading {
  const reading = emptyReading();
  const note = (kind: Note['kind'], line: number, message: string) => reading.notes.push({ kind, file: source.file, line, message });
  const { top, blocks, unended } = readBlocks(source, piece);
  if (unended !== undefined) note('mistake', unended, 'network={ is not ended by a line with }');

  const country = top.get('country');
  if (country) {
    const result = countrySchema.safeParse(unquoted(country.value));
    if (result.success) reading.says.country = { file: source.file, line: country.line, value: result.data };
    else note('mistake', country.line, `country is ${shown(country.value)}; ${result.error.issues[0]?.message}`);
  }
  for (const { line, fields, comments } of blocks) {
    const name = fields.get('ssid');
    const ssid = name && ssidBytes(name.value);
    if (!ssid || ssid.length === 0 || ssid.length > MAX_SSID_BYTES) {
      note(
        'mistake',
        name?.line ?? line,
        `ssid is ${shown(name?.value)}; a network's name in quotes, of 1 to ${MAX_SSID_BYTES} bytes, is wanted`,
      );
      continue;
    }
    const cover = (field: Field | undefined, wish: WishId) => {
      const inner = field ? unquoted(field.value) : '';
      if (!field || inner === '' || isTaken(inner)) return;
      const start = field.start + field.value.indexOf(inner);
      reading.secrets.push({ file: source.file, wish, patch: source.patch(start, start + inner.length, stars(inner)) });
    };
    /** Of a network that is left out the passwords go all the same. */
    const leaveOut = () => {
      for (const name of SECRET_FIELDS) cover(fields.get(name), 'unused');
      for (const comment of comments) cover(comment, 'unused');
    };
    if (fields.get('disabled')?.value === '1') {
      leaveOut();
      note('unused', line, `Wi-Fi ${shown(ssidText(ssid))} is disabled here and is left out`);
      continue;
    }
    const management = fields.get('key_mgmt')?.value ?? '';
    if (/EAP|IEEE8021X/.test(management) || fields.has('wep_key0')) {
      leaveOut();
      note('unused', line, `Wi-Fi ${shown(ssidText(ssid))} is neither WPA with a password nor open and is left out`);
      continue;
    }
    const key = readKey(fields, management, (at, message) => note('mistake', at, message));
    if (!key) continue;
    reading.says.wifi.push({ file: source.file, line, value: { ssid, key, hidden: fields.get('scan_ssid')?.value === '1' } });
    if (key.kind === 'open' || key.kind === 'taken') continue;
    for (const field of [fields.get('psk'), fields.get('sae_password'), ...comments]) cover(field, wifiId(ssid));
  }
  return reading;
}

function readKey(fields: Map<string, Field>, management: string, wrong: (line: number, message: string) => void): WifiKey | undefined {
  const field = fields.get('psk') ?? fields.get('sae_password');
  if (!field) {
    if (/\bNONE\b/.test(management)) return { kind: 'open' };
    wrong([...fields.values()][0]?.line ?? 1, 'psk is missing; a password in quotes is wanted, or key_mgmt=NONE for an open network');
    return undefined;
  }
  const result = wifiKeySchema.safeParse(unquoted(field.value));
  if (!result.success) {
    wrong(field.line, `psk: ${result.error.issues[0]?.message}`);
    return undefined;
  }
  // without quotes only the ready-made key is a key, and with quotes it never is
  if (result.data.kind === 'passphrase' && !isQuoted(field.value)) {
    wrong(field.line, 'psk: a password stands in quotes here, or is a key of 64 hexadecimal digits without quotes');
    return undefined;
  }
  return result.data;
}

function readBlocks(source: Source, piece: { start: number; end: number }) {
  const top = new Map<string, Field>();
  const blocks: Block[] = [];
  let block: Block | undefined;
  let start = piece.start;
  for (const raw of source.text.slice(piece.start, piece.end).split('\n')) {
    const text = raw.trim();
    const line = source.line(start);
    if (/^network\s*=\s*\{$/.test(text)) block = { line, fields: new Map(), comments: [] };
    else if (text === '}' && block) {
      blocks.push(block);
      block = undefined;
    } else if (/^#\s*psk=/.test(text)) {
      const value = raw.slice(raw.indexOf('=') + 1).trim();
      block?.comments.push({ value, line, start: start + raw.indexOf(value, raw.indexOf('=')) });
    } else if (text !== '' && !text.startsWith('#')) {
      const at = raw.indexOf('=');
      const key = raw.slice(0, at).trim();
      const value = raw.slice(at + 1).trim();
      const fields = block?.fields ?? top;
      if (at > 0 && !fields.has(key)) fields.set(key, { value, line, start: start + raw.indexOf(value, at + 1) });
    }
    start += raw.length + 1;
  }
  return { top, blocks, unended: block?.line };
}

const isQuoted = (value: string) => value.length >= 2 && value.startsWith('"') && value.endsWith('"');
/** As wpa_supplicant reads it: from the first quote to the last, without escapes. */
const unquoted = (value: string) => (isQuoted(value) ? value.slice(1, -1) : value);

/** `"text"`, `P"text with \xHH"`, or hexadecimal digits; Raspberry Pi Imager writes `hex:` before those. */
function ssidBytes(value: string): Buffer | undefined {
  if (isQuoted(value)) return Buffer.from(unquoted(value));
  const [, printf] = /^P"(.*)"$/.exec(value) ?? [];
  if (printf !== undefined) {
    const bytes = printf.replaceAll(/\\x([0-9a-fA-F]{2})|\\(.)/g, (_, hex?: string, sign?: string) =>
      hex === undefined
        ? ({ n: '\n', r: '\r', t: '\t', e: '\x1b' }[sign ?? ''] ?? sign ?? '')
        : String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return Buffer.from(bytes, /\\x/.test(printf) ? 'latin1' : 'utf8');
  }
  const [, digits] = /^(?:hex:)?((?:[0-9a-fA-F]{2})+)$/.exec(value) ?? [];
  return digits === undefined ? undefined : Buffer.from(digits, 'hex');
}
