import { type PropertyAddress, type Reading, topics, type Value } from '@ledge/contract';
import type { MemoryBus } from '@ledge/testing';

export const EDGE = 'ledge-test';
export const TEMPERATURE = { thing: 'room', node: 'climate', property: 'temperature' };
export const START = Date.parse('2026-03-01T10:00:00Z');

/** Numbers from 0 to 1 that are the same at every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A house of sensors by number: slow ones and noisy ones with one or two decimals, counters, switches. */
export function sensor(i: number, random: () => number): (second: number) => Value {
  const wave = (second: number) => Math.sin(second / 900 + i);
  const noise = (width: number) => (random() - 0.5) * width;
  switch (i % 6) {
    case 0:
      return (second) => Number((20 + 3 * wave(second) + noise(0.2)).toFixed(2));
    case 1:
      return (second) => Number((50 + 20 * wave(second) + noise(2)).toFixed(1));
    case 2:
      return (second) => Number((230 + wave(second) + noise(6)).toFixed(2));
    case 3:
      return (second) => Math.floor(second * 0.7 + random() * 3);
    case 4:
      return (second) => Number((1013 + wave(second) + noise(0.5)).toFixed(2));
    default:
      return () => random() < 0.1;
  }
}

/** Says a reading on the bus as a device does. */
export function sayReading(
  bus: MemoryBus,
  seq: number,
  atMs: number,
  value: Reading['value'],
  { replayed = false, address = TEMPERATURE }: { replayed?: boolean; address?: PropertyAddress } = {},
): void {
  const reading: Reading = { value, time: new Date(atMs).toISOString(), seq, replayed };
  bus.receive(topics.reading(EDGE, address), reading);
}
