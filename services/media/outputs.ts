import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A sound card as `/proc/asound/cards` lists it. */
export interface Card {
  id: string;
  driver: string;
  name: string;
}

/** What mplayer is told to play to, and how people call it. */
export interface Output {
  /** Arguments for mplayer; none leaves the choice to it. */
  arguments: readonly string[];
  name: string;
  /** Why there will be no sound, for people. */
  fault: string | null;
}

/** One card takes two lines: ` 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0` and its long name. */
export function parseCards(text: string): Card[] {
  return [...text.matchAll(/^\s*\d+ \[(\S+)\s*\]: (\S+) - (.*)$/gm)].map(([, id, driver, name]) => ({
    id: id ?? '',
    driver: driver ?? '',
    name: (name ?? '').trim(),
  }));
}

/** HDMI last: a card with no screen at its end refuses to open, and one with a screen is seldom the loudspeaker that was meant. */
const rank = (card: Card) => (/usb/i.test(card.driver) ? 0 : /hdmi/i.test(card.driver) ? 2 : 1);

const NULL_ARGUMENTS = ['-ao', 'null'];

/**
 * mplayer takes `.` for `,` and `=` for `:` in an ALSA name, so `CARD=x` cannot be said; alsa-lib also takes arguments by their place.
 * vc4-hdmi plays only IEC958 frames: never `hw:`, always a name that converts.
 */
const alsa = (device: string) =>
  `alsa:device=${device
    .replace(/\b(?:CARD|DEV)=/g, '')
    .replaceAll(',', '.')
    .replaceAll(':', '=')}`;

/**
 * Chooses the output. `wanted` is `auto`, `null`, a card's id as in `/proc/asound/cards`, or an ALSA name such as `hdmi:CARD=vc4hdmi0,DEV=0`.
 * `pulse` says that a desktop's sound server answers here: it holds the cards. Every choice on Linux ends with the null output, so that a queue goes on, and says so, when a card cannot be opened.
 */
export async function chooseOutput(wanted: string, machine: { root: string; platform: NodeJS.Platform; pulse: boolean }): Promise<Output> {
  if (wanted === 'null') return { arguments: NULL_ARGUMENTS, name: 'null', fault: null };
  if (machine.platform !== 'linux') return { arguments: [], name: wanted, fault: null };
  const cards = parseCards(await readFile(join(machine.root, 'proc/asound/cards'), 'utf8').catch(() => ''));
  const desktop = wanted === 'auto' && machine.pulse ? ['pulse'] : [];
  if (cards.length === 0 && desktop.length === 0) {
    return {
      arguments: NULL_ARGUMENTS,
      name: 'null: no sound device',
      fault: 'There is no sound device; tracks play without being heard.',
    };
  }
  const ranked = cards.toSorted((a, b) => rank(a) - rank(b));
  const devices = wanted === 'auto' ? ranked.map((card) => `sysdefault:${card.id}`) : [named(wanted, cards)];
  const chosen = wanted === 'auto' ? ranked[0]?.name : wanted;
  return {
    arguments: ['-ao', [...desktop, ...devices.map(alsa), 'null'].join(',')],
    name: desktop.length > 0 ? 'pulse' : `alsa: ${chosen}`,
    fault: null,
  };
}

const named = (wanted: string, cards: readonly Card[]) => (cards.some((card) => card.id === wanted) ? `sysdefault:${wanted}` : wanted);
