import { z } from 'zod';
import type { Source } from '../source.ts';
import { isTaken } from '../source.ts';
import { isPrivateKey, PRIVATE_KEY_FAULT } from '../ssh-key.ts';
import {
  adminHashSchema,
  adminPasswordSchema,
  countrySchema,
  flagSchema,
  hostnameSchema,
  hotspotKeySchema,
  LANGUAGES,
  languageSchema,
  nameSchema,
  sshKeySchema,
  ssidSchema,
  timezoneSchema,
  wifiKeySchema,
} from '../values.ts';
import { emptyReading, type FirstAdmin, type Reading, type SingleWishes, type Wifi, type WishId, wifiId } from '../wishes.ts';
import { isRecord, type Path, type Plain, take, Yaml } from '../yaml.ts';

/** One Wi-Fi network in `ledge.yaml`. */
export const wifiSchema = z.strictObject({
  ssid: ssidSchema.meta({ description: 'name of the network, 1 to 32 bytes' }),
  password: wifiKeySchema.optional().meta({ description: '8 to 63 characters, or 64 hexadecimal digits; without it the network is open' }),
  hidden: flagSchema.optional().meta({ description: 'yes when the network does not tell its name' }),
});

/**
 * All keys of `ledge.yaml` on the card, each optional.
 * @param zoneinfo folder of the time zones that this machine knows
 * @param names what the box is to be called, which is no password for it
 */
export const ledgeSchema = (zoneinfo: string, names: readonly string[] = []) =>
  z.strictObject({
    name: nameSchema.optional().meta({ description: 'what people call this box, 1 to 64 characters' }),
    hostname: hostnameSchema.optional().meta({ description: "the box's name in the network: barn is http://barn.local/" }),
    wifi: z
      .union([wifiSchema, z.array(wifiSchema)])
      .optional()
      .meta({ description: 'the Wi-Fi network to join, or a list of them' }),
    country: countrySchema
      .optional()
      .meta({ description: 'where the box stands, ISO 3166 alpha-2; it decides which Wi-Fi channels are allowed' }),
    timezone: timezoneSchema(zoneinfo).optional().meta({ description: 'IANA time zone' }),
    language: languageSchema.optional().meta({ description: `language of the pages: ${LANGUAGES.join(', ')}` }),
    adminPassword: adminPasswordSchema(names).optional().meta({ description: 'first password of the user admin, 10 characters or more' }),
    adminPasswordHash: adminHashSchema
      .optional()
      .meta({ description: 'the same as scrypt$N$r$p$salt$key, so that the card never has the password' }),
    sshKey: z
      .union([sshKeySchema, z.array(sshKeySchema)])
      .optional()
      .meta({ description: 'public key of who may sign in over SSH, or a list; [] takes all away' }),
    hotspotKey: hotspotKeySchema.optional().meta({ description: "password of the box's own set-up Wi-Fi, 8 to 63 characters" }),
  });

/** Reads `ledge.yaml`. Each key stands for itself: what is wrong is told, and the others are taken all the same. */
export function readLedgeYaml(source: Source, zoneinfo: string): Reading {
  const reading = emptyReading();
  const yaml = new Yaml(source);
  reading.notes = yaml.notes;
  const { content } = yaml;
  if (content === undefined) return reading;
  if (!isRecord(content)) {
    yaml.note('mistake', [], 'keys and values such as "name: Barn" are wanted');
    return reading;
  }
  const names = [content.name, content.hostname].filter((name) => typeof name === 'string');
  const schema = ledgeSchema(zoneinfo, names);
  const single = <K extends keyof SingleWishes>(key: K, value: SingleWishes[K] | undefined, at: string) => {
    if (value !== undefined) Object.assign(reading.says, { [key]: { file: source.file, line: yaml.line([at]), value } });
  };
  const secret = (path: Path, wish: WishId) => {
    const found = yaml.secret(path, wish);
    if (found) reading.secrets.push(found);
  };
  /** A secret of its own key: undefined also when it was taken at an earlier start. */
  const hidden = (key: 'adminPassword' | 'adminPasswordHash' | 'hotspotKey', wish: WishId): string | undefined => {
    const value = content[key];
    if (typeof value === 'string' && isTaken(value)) return undefined;
    const taken = take(yaml, [key], value, schema.shape[key].unwrap(), true);
    if (taken !== undefined) secret([key], wish);
    return taken;
  };

  const admin: FirstAdmin[] = [];
  for (const [key, value] of Object.entries(content)) {
    if (!(key in schema.shape)) {
      yaml.note('mistake', [key], `${key} is not known here; known are ${Object.keys(schema.shape).join(', ')}`);
      continue;
    }
    switch (key as keyof typeof schema.shape) {
      case 'wifi':
        for (const [path, network] of entries(value, ['wifi'])) {
          const wifi = readWifi(yaml, path, network);
          if (!wifi) continue;
          if (reading.says.wifi.some((said) => said.value.ssid.equals(wifi.ssid))) {
            yaml.note('mistake', path, 'this network is in the list already; only the first one is taken');
            continue;
          }
          reading.says.wifi.push({ file: source.file, line: yaml.line(path), value: wifi });
          if (wifi.key.kind === 'passphrase' || wifi.key.kind === 'psk') secret([...path, 'password'], wifiId(wifi.ssid));
        }
        break;
      case 'sshKey': {
        const keys = entries(value, ['sshKey']).flatMap(([path, text]) => readKeys(yaml, path, text));
        // of keys that are all wrong nothing is taken, or the ones that are there would be gone
        if (keys.length > 0 || (Array.isArray(value) && value.length === 0)) single('sshKeys', keys, 'sshKey');
        break;
      }
      case 'adminPassword': {
        const password = hidden('adminPassword', 'admin');
        if (password !== undefined) admin.push({ password });
        break;
      }
      case 'adminPasswordHash': {
        const hash = hidden('adminPasswordHash', 'admin');
        if (hash !== undefined) admin.push({ hash });
        break;
      }
      case 'hotspotKey':
        single('hotspotKey', hidden('hotspotKey', 'hotspotKey'), 'hotspotKey');
        break;
      default: {
        const name = key as 'name' | 'hostname' | 'country' | 'timezone' | 'language';
        single(name, take(yaml, [name], value, schema.shape[name].unwrap()), name);
      }
    }
  }
  if (admin.length > 1) yaml.note('mistake', ['adminPasswordHash'], 'adminPassword is there too, and was taken; one of the two is wanted');
  single(
    'admin',
    admin.find((said) => 'password' in said) ?? admin[0],
    admin.some((said) => 'password' in said) ? 'adminPassword' : 'adminPasswordHash',
  );
  return reading;
}

/** One value, or each of a list, with its path. */
function entries(value: Plain | undefined, path: Path): [Path, Plain][] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map((item, i) => [[...path, i], item]) : [[path, value]];
}

function readWifi(yaml: Yaml, path: Path, value: Plain): Wifi | undefined {
  if (!isRecord(value)) {
    yaml.note('mistake', path, `${path.join('.')} is no network; ssid: and password: below it are wanted`);
    return undefined;
  }
  const unknown = Object.keys(value).filter((key) => !(key in wifiSchema.shape));
  for (const key of unknown) {
    const known = Object.keys(wifiSchema.shape).join(', ');
    yaml.note('mistake', [...path, key], `${[...path, key].join('.')} is not known here; known are ${known}`);
  }
  if (value.ssid === undefined) {
    yaml.note('mistake', path, `${path.join('.')}.ssid is missing; the network's name is wanted`);
    return undefined;
  }
  const ssid = take(yaml, [...path, 'ssid'], value.ssid, wifiSchema.shape.ssid);
  const hidden = value.hidden === undefined ? false : take(yaml, [...path, 'hidden'], value.hidden, flagSchema);
  const isOpen = !yaml.has([...path, 'password']);
  // the unknown key may have been meant for the password: then an open network of that name would be anybody's
  if (isOpen && unknown.length > 0) return undefined;
  const key = isOpen ? ({ kind: 'open' } as const) : take(yaml, [...path, 'password'], value.password, wifiKeySchema, true);
  return ssid && key ? { ssid, key, hidden: hidden ?? false } : undefined;
}

/** One text may have several lines, as in a file of keys. */
function readKeys(yaml: Yaml, path: Path, value: Plain): string[] {
  if (typeof value === 'string' && isPrivateKey(value)) {
    yaml.note('mistake', path, `${path.join('.')}: ${PRIVATE_KEY_FAULT}`);
    return [];
  }
  const lines =
    typeof value === 'string' ? value.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#')) : [value];
  return lines.flatMap((line) => {
    const result = sshKeySchema.safeParse(line);
    if (result.success) return [result.data];
    yaml.note('mistake', path, `${path.join('.')}: ${result.error.issues[0]?.message}`);
    return [];
  });
}
