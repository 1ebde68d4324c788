import { pbkdf2Sync } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { shown } from '@ledge/contract';
import { type Note, type Reading, type Said, type SaidWishes, type SingleWishes, ssidText, type Wifi } from './wishes.ts';

const SECRET: readonly string[] = ['admin', 'hotspotKey'] satisfies (keyof SingleWishes)[];
/** IEEE 802.11-2020 annex J.4.1: how a passphrase and the network's name become the key. */
const PSK = { rounds: 4096, bytes: 32, digest: 'sha1' };

/**
 * Puts together what the files say. Whoever stands first in the list wins; a different word from another file is told.
 * Networks are put together by their name.
 */
export function merge(readings: readonly Reading[]): { wishes: SaidWishes; conflicts: Note[] } {
  const wishes: SaidWishes = { wifi: [], wired: [] };
  const conflicts: Note[] = [];
  const tell = (what: string, loser: Said<unknown>, winner: Said<unknown>, values: string) =>
    conflicts.push({
      kind: 'conflict',
      file: loser.file,
      line: loser.line,
      message: `${what}${values} is not used: ${winner.file}:${winner.line} says another and wins`,
    });

  for (const { says } of readings) {
    const { wifi, wired, ...single } = says;
    for (const [key, said] of Object.entries(single) as [keyof SingleWishes, Said<never>][]) {
      const winner = wishes[key];
      if (!winner) wishes[key] = said;
      else if (!isDeepStrictEqual(winner.value, said.value)) {
        tell(key, said, winner, SECRET.includes(key) || key === 'sshKeys' ? '' : ` ${shown(said.value)}`);
      }
    }
    for (const said of wifi) {
      const at = wishes.wifi.findIndex(({ value }) => value.ssid.equals(said.value.ssid));
      const winner = wishes.wifi[at];
      if (!winner) wishes.wifi.push(said);
      else if (winner.value.key.kind === 'taken') wishes.wifi[at] = { ...winner, value: { ...winner.value, key: said.value.key } };
      else if (!sameKey(winner.value, said.value)) tell(`the password of Wi-Fi ${shown(ssidText(said.value.ssid))}`, said, winner, '');
    }
    for (const said of wired) {
      const winner = wishes.wired.find(({ value }) => value.device === said.value.device);
      if (!winner) wishes.wired.push(said);
      else if (!isDeepStrictEqual(winner.value, said.value)) tell(`the addresses of ${said.value.device}`, said, winner, '');
    }
  }
  // Raspberry Pi Imager asks for a host name only
  if (!wishes.name && wishes.hostname) wishes.name = wishes.hostname;
  return { wishes, conflicts };
}

function sameKey(a: Wifi, b: Wifi): boolean {
  if (b.key.kind === 'taken' || isDeepStrictEqual(a.key, b.key)) return true;
  return a.key.kind !== 'open' && b.key.kind !== 'open' && pskOf(a) === pskOf(b);
}

function pskOf({ ssid, key }: Wifi): string | undefined {
  if (key.kind === 'psk') return key.value.toLowerCase();
  if (key.kind !== 'passphrase') return undefined;
  return pbkdf2Sync(key.value, ssid, PSK.rounds, PSK.bytes, PSK.digest).toString('hex');
}
