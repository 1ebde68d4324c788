import { readSource, type Source } from '../source.ts';
import { emptyReading, type Reading } from '../wishes.ts';
import { readMetaData, readUserData } from './cloud-init.ts';
import { readFirstrun } from './firstrun.ts';
import { readLedgeYaml } from './ledge-yaml.ts';
import { readNetworkConfig } from './network-config.ts';
import { readCmdline, readSsh, readUserconf } from './older.ts';
import { readPreseed } from './preseed.ts';
import { readWpaSupplicant } from './wpa-supplicant.ts';

type Reader = (source: Source, zoneinfo: string) => Reading;

/** Files that are read, and by whom. Of two that say the same thing, the one that stands first wins. */
const READERS: Record<string, Reader> = {
  'ledge.yaml': readLedgeYaml,
  'user-data': readUserData,
  'network-config': readNetworkConfig,
  'meta-data': readMetaData,
  'rpi-preseed.toml': readPreseed,
  'custom.toml': readPreseed,
  'wpa_supplicant.conf': (source) => readWpaSupplicant(source),
  'firstrun.sh': readFirstrun,
  'userconf.txt': readUserconf,
  userconf: readUserconf,
  ssh: readSsh,
  'ssh.txt': readSsh,
  'cmdline.txt': readCmdline,
};
export const FILES: readonly string[] = Object.keys(READERS);

/** Names that people's computers make of ours. */
export const MISNAMED: Record<string, string> = {
  'ledge.yaml.txt': 'ledge.yaml',
  'ledge.yml': 'ledge.yaml',
  'ledge.txt': 'ledge.yaml',
  'user-data.txt': 'user-data',
  'network-config.txt': 'network-config',
  'wpa_supplicant.conf.txt': 'wpa_supplicant.conf',
};

/** What one file of the card says. Never throws: what cannot be read is a mistake in the reading. */
export function readFile(name: string, bytes: Buffer, zoneinfo: string): Reading {
  const source = readSource(name, bytes);
  if ('kind' in source) return { ...emptyReading(), notes: [source] };
  return READERS[name]?.(source, zoneinfo) ?? emptyReading();
}
