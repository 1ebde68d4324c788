import { shown } from '@ledge/contract';
import { parse as parseYaml, stringify } from 'yaml';
import type { Ports } from './ports.ts';
import { type Place, type Said, type SaidWishes, type SingleWishes, ssidText, type WishId, wifiId, wiredId } from './wishes.ts';

/** How one wish went. `impossible` stays so until the card says something else; `failed` is tried again at the next start. */
export interface Outcome extends Place {
  wish: WishId;
  /** What it is, for people, without secrets. */
  what: string;
  result: 'done' | 'impossible' | 'failed';
  /** Why not. */
  why?: string;
}

/** Where things are kept below the data directory. */
export const KEPT = {
  edge: 'settings/edge.yaml',
  country: 'system/country',
  language: 'system/language',
  hotspotKey: 'system/hotspot-key',
  sshKeys: 'system/authorized_keys',
  admin: 'secrets/first-admin',
} as const;

type Act = [wish: WishId, said: Place, what: string, act: () => unknown];

/**
 * Makes the wishes true, one after the other; what fails stops no other. Doing it again changes nothing.
 * @param warn told what went wrong without a wish failing by it
 */
export async function apply(wishes: SaidWishes, ports: Ports, warn: (message: string) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [wish, { file, line }, what, act] of acts(wishes, ports, warn)) {
    const outcome = { wish, file, line, what };
    try {
      const result = await act();
      outcomes.push(
        result === 'missing-key'
          ? { ...outcome, result: 'impossible', why: 'its password was taken at an earlier start and is not here any more; write it again' }
          : { ...outcome, result: 'done' },
      );
    } catch (error) {
      outcomes.push({ ...outcome, result: 'failed', why: error instanceof Error ? error.message : String(error) });
    }
  }
  return outcomes;
}

function acts(wishes: SaidWishes, { files, host, networks }: Ports, warn: (message: string) => void): Act[] {
  const { admin, country, hostname, hotspotKey, language, name, sshKeys, timezone, wifi, wired } = wishes;
  const list: Act[] = [];
  const single = <K extends keyof SingleWishes>(
    wish: K,
    said: Said<SingleWishes[K]> | undefined,
    what: string,
    act: (value: SingleWishes[K]) => unknown,
  ) => {
    if (said) list.push([wish, said, what, () => act(said.value)]);
  };

  single('country', country, `country ${country?.value}`, (value) => files.write(KEPT.country, `${value}\n`, 0o644));
  single('language', language, `language ${language?.value}`, (value) => files.write(KEPT.language, `${value}\n`, 0o644));
  single('timezone', timezone, `time zone ${timezone?.value}`, (value) => host.setTimezone(value));
  single('hostname', hostname, `host name ${hostname?.value}`, (value) => host.setHostname(value));
  single('name', name, `name ${shown(name?.value)}`, async (value) => {
    files.write(KEPT.edge, edgeSettings(files.read(KEPT.edge), value), 0o660);
    await host.setPrettyName(value).catch((error: Error) => warn(`the name is not the machine's pretty host name: ${error.message}`));
  });
  single('hotspotKey', hotspotKey, 'password of the set-up Wi-Fi', (value) => files.write(KEPT.hotspotKey, `${value}\n`, 0o640));
  single('admin', admin, 'admin password', (value) => files.write(KEPT.admin, `${JSON.stringify(value)}\n`, 0o640));
  single('sshKeys', sshKeys, sshKeysText(sshKeys?.value), (value) =>
    value.length === 0 ? files.remove(KEPT.sshKeys) : files.write(KEPT.sshKeys, `${value.join('\n')}\n`, 0o644),
  );
  for (const said of wifi) {
    const { ssid, key, hidden, ip } = said.value;
    const how = [
      key.kind === 'open' ? 'open' : '',
      key.kind === 'psk' ? 'WPA2 only' : '',
      hidden ? 'hidden' : '',
      ip && ip.addresses.length > 0 ? 'fixed address' : '',
    ];
    const what = `Wi-Fi ${shown(ssidText(ssid))}${how.some(Boolean) ? ` (${how.filter(Boolean).join(', ')})` : ''}`;
    list.push([wifiId(ssid), said, what, () => networks.putWifi(said.value)]);
  }
  for (const said of wired) {
    const { device, ip } = said.value;
    const fixed = ip.addresses.map(({ address, prefix }) => `${address}/${prefix}`).join(', ');
    const what = `${fixed ? `address ${fixed}` : 'name servers'} for ${device}`;
    list.push([wiredId(device), said, what, () => networks.putWired(said.value)]);
  }
  return list;
}

function sshKeysText(keys: readonly string[] = []): string {
  if (keys.length === 0) return 'no SSH keys any more';
  return keys.length === 1 ? 'one SSH key' : `${keys.length} SSH keys`;
}

/** What the settings page saved besides the name stays. */
function edgeSettings(present: string | undefined, name: string): string {
  let kept: unknown;
  try {
    kept = parseYaml(present ?? '');
  } catch {
    kept = undefined; // a file that no service could read either
  }
  return stringify({ ...(typeof kept === 'object' && !Array.isArray(kept) ? kept : {}), name });
}
