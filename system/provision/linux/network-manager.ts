import { createHash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { Problem } from '@ledge/contract';
import { BusError, BusVariant } from '@ledge/host/linux/systemd/dbus-connection.ts';
import type { SystemBus } from '@ledge/host/linux/systemd/system-bus.ts';
import type { Clock } from '@ledge/kit/ports.ts';
import type { NetworkProfiles } from '../ports.ts';
import { type IpSettings, ssidText, type Wifi, type Wired, wifiId, wiredId } from '../wishes.ts';

const NM = 'org.freedesktop.NetworkManager';
const SETTINGS = { destination: NM, path: '/org/freedesktop/NetworkManager/Settings', interface: `${NM}.Settings` } as const;
const PROFILE = `${NM}.Settings.Connection`;
/** NM_SETTINGS_ADD_CONNECTION2_FLAG_TO_DISK and NM_SETTINGS_UPDATE2_FLAG_TO_DISK. */
const TO_DISK = 1;
/** NM_SETTING_WIRELESS_SECURITY_PMF_*. */
const PMF = { disable: 1, required: 3 };
/** Above NetworkManager's own "Wired connection 1", which has -999. */
const WIRED_PRIORITY = 10;
const WPA3_PRIORITY = -10;
const STARTED_WITHIN_MS = 30_000;
const ANSWER_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 250;

type Dict = Record<string, BusVariant>;
type Settings = Record<string, Dict>;

/**
 * Profiles that NetworkManager keeps, over D-Bus. It does not take files from anybody but root, and on the image it starts beside the
 * import: the first call waits until it is on the bus.
 */
export class NetworkManager implements NetworkProfiles {
  readonly #bus: SystemBus;
  readonly #clock: Clock;
  #present: Promise<void> | undefined;

  constructor(bus: SystemBus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  /**
   * A passphrase makes two profiles: `wpa-psk` with management frame protection off, which is WPA2, because firmware of the Pi fails with
   * WPA3 where an access point offers both (raspberrypi/linux#7528, #7634); and below it `sae` for networks that have nothing but WPA3.
   */
  async putWifi(wifi: Wifi): Promise<'done' | 'missing-key'> {
    await this.#started();
    const uuid = uuidOf(wifiId(wifi.ssid));
    const wpa3 = uuidOf(`${wifiId(wifi.ssid)}:wpa3`);
    const present = (await this.#byUuid(uuid)) ?? (await this.#bySsid(wifi.ssid, [wpa3]));
    const known = await this.#byUuid(wpa3);
    if (wifi.key.kind === 'taken') {
      if (!present) return 'missing-key';
      // without a password in it NetworkManager keeps the one it has
      await this.#put(present, wifiSettings(wifi, wpaPsk()));
      if (known) await this.#put(known, wifiSettings(wifi, sae(), WPA3_PRIORITY));
      return 'done';
    }
    const security = wifi.key.kind === 'open' ? undefined : wpaPsk(wifi.key.value);
    await this.#put(present ?? { uuid, id: ssidText(wifi.ssid) }, wifiSettings(wifi, security));
    if (wifi.key.kind === 'passphrase') {
      await this.#put(known ?? { uuid: wpa3, id: `${ssidText(wifi.ssid)} (WPA3)` }, wifiSettings(wifi, sae(wifi.key.value), WPA3_PRIORITY));
    } else if (known) {
      await this.#call(known.path, PROFILE, 'Delete');
    }
    return 'done';
  }

  async putWired({ device, ip }: Wired): Promise<void> {
    await this.#started();
    const uuid = uuidOf(wiredId(device));
    await this.#put((await this.#byUuid(uuid)) ?? { uuid, id: `${device} (as the card says)` }, {
      connection: { type: text('802-3-ethernet'), 'interface-name': text(device), 'autoconnect-priority': number(WIRED_PRIORITY) },
      ...ipSettings(ip),
    });
  }

  async #put(profile: Profile, settings: Settings): Promise<void> {
    const connection = { id: text(profile.id), uuid: text(profile.uuid), ...settings.connection };
    const body = [{ ...settings, connection }, TO_DISK, {}];
    if (profile.path) await this.#call(profile.path, PROFILE, 'Update2', 'a{sa{sv}}ua{sv}', body);
    else await this.#call(SETTINGS.path, SETTINGS.interface, 'AddConnection2', 'a{sa{sv}}ua{sv}', body);
  }

  async #byUuid(uuid: string): Promise<KnownProfile | undefined> {
    try {
      const [path] = await this.#bus.call({ ...SETTINGS, member: 'GetConnectionByUuid', signature: 's', body: [uuid] }, ANSWER_WITHIN_MS);
      const { connection } = await this.#settings(path as string);
      return { path: path as string, uuid, id: String(connection?.id ?? uuid) };
    } catch (error) {
      if (error instanceof BusError && /InvalidConnection$/.test(error.busName)) return undefined;
      throw asProblem(error);
    }
  }

  /** A profile that somebody else made for the same network: it is changed, or two of them would take turns. */
  async #bySsid(ssid: Buffer, except: readonly string[]): Promise<KnownProfile | undefined> {
    const [paths] = await this.#call(SETTINGS.path, SETTINGS.interface, 'ListConnections');
    for (const path of paths as string[]) {
      const { connection, '802-11-wireless': wifi } = await this.#settings(path);
      const bytes = wifi?.ssid;
      if (!connection || !wifi || !(bytes instanceof Uint8Array || Array.isArray(bytes)) || !Buffer.from(bytes).equals(ssid)) continue;
      const uuid = String(connection.uuid);
      if ((wifi.mode ?? 'infrastructure') === 'infrastructure' && !except.includes(uuid)) return { path, uuid, id: String(connection.id) };
    }
    return undefined;
  }

  async #settings(path: string): Promise<Record<string, Record<string, unknown>>> {
    const [settings] = await this.#call(path, PROFILE, 'GetSettings');
    return settings as Record<string, Record<string, unknown>>;
  }

  async #call(path: string, owner: string, member: string, signature = '', body: unknown[] = []): Promise<unknown[]> {
    try {
      return await this.#bus.call({ destination: NM, path, interface: owner, member, signature, body }, ANSWER_WITHIN_MS);
    } catch (error) {
      throw asProblem(error);
    }
  }

  #started(): Promise<void> {
    this.#present ??= this.#wait();
    return this.#present;
  }

  async #wait(): Promise<void> {
    const until = this.#clock.monotonic() + STARTED_WITHIN_MS;
    const question = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' };
    while (true) {
      const [present] = await this.#bus.call({ ...question, member: 'NameHasOwner', signature: 's', body: [NM] });
      if (present === true) return;
      if (this.#clock.monotonic() >= until)
        throw new Problem('service-away', `NetworkManager did not start within ${STARTED_WITHIN_MS / 1000} s.`);
      await this.#clock.sleep(LOOK_AGAIN_MS);
    }
  }
}

interface Profile {
  uuid: string;
  id: string;
  path?: string;
}
type KnownProfile = Profile & { path: string };

const text = (value: string) => new BusVariant('s', value);
const number = (value: number) => new BusVariant('i', value);
const flag = (value: boolean) => new BusVariant('b', value);

const wpaPsk = (psk?: string): Dict => ({ 'key-mgmt': text('wpa-psk'), pmf: number(PMF.disable), ...(psk ? { psk: text(psk) } : {}) });
const sae = (psk?: string): Dict => ({ 'key-mgmt': text('sae'), pmf: number(PMF.required), ...(psk ? { psk: text(psk) } : {}) });

function wifiSettings({ ssid, hidden, ip }: Wifi, security: Dict | undefined, priority = 0): Settings {
  return {
    connection: { type: text('802-11-wireless'), 'autoconnect-priority': number(priority) },
    '802-11-wireless': { ssid: new BusVariant('ay', ssid), mode: text('infrastructure'), hidden: flag(hidden) },
    ...(security ? { '802-11-wireless-security': security } : {}),
    ...(ip ? ipSettings(ip) : { ipv4: { method: text('auto') }, ipv6: { method: text('auto') } }),
  };
}

function ipSettings(ip: IpSettings): Settings {
  const family = (is4: boolean): Dict => {
    const mine = (value: string) => isIPv4(value) === is4;
    const addresses = ip.addresses.filter(({ address }) => mine(address));
    const dns = ip.dns.filter(mine);
    const gateway = ip.gateways.find(mine);
    return {
      method: text(addresses.length > 0 ? 'manual' : 'auto'),
      ...(addresses.length > 0
        ? {
            'address-data': new BusVariant(
              'aa{sv}',
              addresses.map(({ address, prefix }) => ({ address: text(address), prefix: new BusVariant('u', prefix) })),
            ),
          }
        : {}),
      ...(gateway && addresses.length > 0 ? { gateway: text(gateway) } : {}),
      ...(dns.length > 0 ? { 'dns-data': new BusVariant('as', dns) } : {}),
      ...(ip.search.length > 0 ? { 'dns-search': new BusVariant('as', ip.search) } : {}),
    };
  };
  return { ipv4: family(true), ipv6: family(false) };
}

/** The same name gives the same profile at every import: a UUID of version 8 (RFC 9562) made of a hash. */
function uuidOf(name: string): string {
  const bytes = createHash('sha256').update(`ledge:${name}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** NetworkManager's own words say what it did not take; they never repeat a password. */
function asProblem(error: unknown): unknown {
  return error instanceof BusError
    ? new Problem('config-invalid', `NetworkManager: ${error.message} (${error.busName})`, { cause: error })
    : error;
}
