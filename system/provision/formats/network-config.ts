import type { Source } from '../source.ts';
import { isTaken } from '../source.ts';
import { addressSchema, countrySchema, flagSchema, ipSchema, wifiKeySchema } from '../values.ts';
import { emptyReading, type IpSettings, type Reading, ssidText, type Wifi, type WishId, wifiId } from '../wishes.ts';
import { isRecord, type Path, type Plain, take, Yaml } from '../yaml.ts';

const MAX_SSID_BYTES = 32;
const DEVICE_KEYS = [
  'dhcp4',
  'dhcp6',
  'optional',
  'addresses',
  'gateway4',
  'gateway6',
  'routes',
  'nameservers',
  'access-points',
  'regulatory-domain',
  'renderer',
];
const ACCESS_POINT_KEYS = ['password', 'hidden', 'auth', 'mode'];

/**
 * Reads `network-config` in netplan's form (version 2), with `network:` around it (Imager 2) or without (Imager 1):
 * access points, the country, and fixed addresses.
 */
export function readNetworkConfig(source: Source): Reading {
  const reading = emptyReading();
  const yaml = new Yaml(source);
  reading.notes = yaml.notes;
  const { content } = yaml;
  if (content === undefined) return reading;
  const base: Path = isRecord(content) && content.network !== undefined ? ['network'] : [];
  const network = base.length > 0 && isRecord(content) ? content.network : content;
  if (!isRecord(network)) {
    yaml.note('mistake', base, '"version: 2" and "wifis:" or "ethernets:" are wanted');
    return reading;
  }
  if (network.version !== undefined && network.version !== '2') {
    yaml.note('mistake', [...base, 'version'], `version is ${String(network.version).slice(0, 20)}; 2, the form of netplan, is wanted`);
    return reading;
  }
  for (const [key, value] of Object.entries(network)) {
    if (['version', 'renderer'].includes(key)) continue;
    if ((key !== 'wifis' && key !== 'ethernets') || !isRecord(value)) {
      yaml.note('unused', [...base, key], `${key}: only wifis and ethernets are used`);
      continue;
    }
    for (const [device, settings] of Object.entries(value)) {
      if (!isRecord(settings)) continue; // `renderer: networkd` of Imager 1
      const path = [...base, key, device];
      for (const unknown of Object.keys(settings)) {
        if (!DEVICE_KEYS.includes(unknown)) yaml.note('unused', [...path, unknown], `${device}.${unknown} is not used`);
      }
      // a device that is described and not named: nobody here looks for it
      if (settings.match !== undefined && key === 'ethernets') continue;
      const ip = readIp(yaml, path, settings);
      if (key === 'wifis') readWifis(yaml, path, settings, ip, reading);
      else if (ip) reading.says.wired.push({ file: source.file, line: yaml.line(path), value: { device, ip } });
    }
  }
  return reading;
}

function readWifis(yaml: Yaml, path: Path, settings: { [key: string]: Plain }, ip: IpSettings | undefined, reading: Reading): void {
  const at = (where: Path) => ({ file: yaml.source.file, line: yaml.line(where) });
  const domain = settings['regulatory-domain'];
  if (domain !== undefined) {
    const country = take(yaml, [...path, 'regulatory-domain'], domain, countrySchema);
    if (country) reading.says.country = { ...at([...path, 'regulatory-domain']), value: country };
  }
  const points = settings['access-points'];
  if (!isRecord(points)) return;
  for (const [name, point] of Object.entries(points)) {
    const where = [...path, 'access-points', name];
    const ssid = ssidBytes(name, yaml.keySource(where));
    if (ssid.length === 0 || ssid.length > MAX_SSID_BYTES) {
      yaml.note('mistake', where, `the network's name has ${ssid.length} bytes; 1 to ${MAX_SSID_BYTES} are wanted`);
      continue;
    }
    const wifi = readPoint(yaml, where, ssid, isRecord(point) ? point : {}, reading);
    if (wifi) reading.says.wifi.push({ ...at(where), value: ip ? { ...wifi, ip } : wifi });
  }
}

function readPoint(yaml: Yaml, path: Path, ssid: Buffer, point: { [key: string]: Plain }, reading: Reading): Wifi | undefined {
  const unused = (key: string) => yaml.note('unused', [...path, key], `${key} of Wi-Fi ${JSON.stringify(ssidText(ssid))} is not used`);
  for (const key of Object.keys(point)) if (!ACCESS_POINT_KEYS.includes(key)) unused(key);
  const auth = isRecord(point.auth) ? point.auth : {};
  const secret = (where: Path, value: Plain | undefined, wish: WishId) => {
    const found = typeof value === 'string' && !isTaken(value) && yaml.secret(where, wish);
    if (found) reading.secrets.push(found);
  };
  /** Of a network that is left out the passwords go all the same. */
  const leaveOut = () => {
    secret([...path, 'password'], point.password, 'unused');
    for (const key of ['password', 'client-key-password']) secret([...path, 'auth', key], auth[key], 'unused');
    return undefined;
  };
  if (point.mode !== undefined && point.mode !== 'infrastructure') {
    yaml.note(
      'unused',
      [...path, 'mode'],
      `Wi-Fi ${JSON.stringify(ssidText(ssid))} is of another mode than infrastructure and is left out`,
    );
    return leaveOut();
  }
  const isOpen = !yaml.has([...path, 'password']) && !yaml.has([...path, 'auth', 'password']);
  const management = auth['key-management'] ?? (isOpen ? 'none' : 'psk');
  if (!['none', 'psk', 'sae'].includes(String(management))) {
    yaml.note(
      'unused',
      [...path, 'auth', 'key-management'],
      `Wi-Fi with ${String(management).slice(0, 20)} (a user name or certificate) is not possible and is left out`,
    );
    return leaveOut();
  }
  const hidden = (point.hidden === undefined ? false : take(yaml, [...path, 'hidden'], point.hidden, flagSchema)) ?? false;
  if (management === 'none') return { ssid, key: { kind: 'open' }, hidden };
  const where = point.password === undefined ? [...path, 'auth', 'password'] : [...path, 'password'];
  const password = point.password ?? auth.password;
  const key = take(yaml, where, password, wifiKeySchema, true);
  if (!key) return undefined;
  secret(where, password, wifiId(ssid));
  return { ssid, key, hidden };
}

/**
 * Imager writes each byte of a name that is not ASCII as `\xHH`. In YAML that is a character by that number, but the byte is meant.
 */
function ssidBytes(name: string, source: string): Buffer {
  const isBytes = source.startsWith('"') && /\\x[89a-f][0-9a-f]/i.test(source) && [...name].every((c) => (c.codePointAt(0) ?? 0) <= 0xff);
  return Buffer.from(name, isBytes ? 'latin1' : 'utf8');
}

function readIp(yaml: Yaml, path: Path, settings: { [key: string]: Plain }): IpSettings | undefined {
  const isFixed = settings.addresses !== undefined;
  // netplan would take them; a profile of ours is either fixed or asks DHCP for everything but the name servers
  const isOff = (key: string) => ['no', 'false', 'off'].includes(String(settings[key]));
  const dhcp = ['dhcp4', 'dhcp6'];
  const needless = isFixed ? dhcp.filter((key) => !isOff(key)) : [...dhcp.filter(isOff), 'gateway4', 'gateway6', 'routes'];
  for (const key of needless)
    if (settings[key] !== undefined) yaml.note('unused', [...path, key], `${key} is not used ${isFixed ? 'beside' : 'without'} addresses`);
  if (!isFixed && settings.nameservers === undefined) return undefined;
  const each = <T>(where: Path, value: Plain | undefined, read: (path: Path, item: Plain) => T | undefined): T[] => {
    const items: Plain[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
    return items.flatMap((item, i) => read(Array.isArray(value) ? [...where, i] : where, item) ?? []);
  };
  // netplan also has {"192.168.1.5/24": {label: …}}
  const addresses = each([...path, 'addresses'], settings.addresses, (at, item) =>
    take(yaml, at, isRecord(item) ? Object.keys(item)[0] : item, addressSchema),
  );
  if (isFixed && addresses.length === 0) return undefined;
  const ip = (at: Path, item: Plain) => take(yaml, at, item, ipSchema);
  const servers = isRecord(settings.nameservers) ? settings.nameservers : {};
  const names = {
    dns: each([...path, 'nameservers', 'addresses'], servers.addresses, ip),
    search: each([...path, 'nameservers', 'search'], servers.search, (_, item) => (typeof item === 'string' ? item : undefined)),
  };
  if (!isFixed) return { addresses, gateways: [], ...names };
  const gateways = [...each([...path, 'gateway4'], settings.gateway4, ip), ...each([...path, 'gateway6'], settings.gateway6, ip)];
  each([...path, 'routes'], settings.routes, (at, route) => {
    if (!isRecord(route)) return;
    if (!['default', '0.0.0.0/0', '::/0'].includes(String(route.to))) {
      yaml.note('unused', at, 'only the default route is used');
      return;
    }
    const via = take(yaml, [...at, 'via'], route.via, ipSchema);
    if (via) gateways.push(via);
  });
  return { addresses, gateways, ...names };
}
