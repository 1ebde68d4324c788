import { Problem, type PropertyConfig, shown, type Value } from '@ledge/contract';
import { z } from 'zod';

const word = z.union([z.string(), z.number(), z.boolean()]);

/** How a device's own words stand for values: keys that every text-speaking driver has in `source`. */
export const wordsShape = {
  on: word.optional().meta({ description: 'what the device says for true; default: on, true, yes, 1' }),
  off: word.optional().meta({ description: 'what the device says for false; default: everything else when `on` is given' }),
  map: z.record(z.string(), word).optional().meta({ description: "the device's words and what they mean here" }),
};
export interface Words {
  on?: string | number | boolean | undefined;
  off?: string | number | boolean | undefined;
  map?: Record<string, string | number | boolean> | undefined;
}

const TRUE_WORDS = new Set(['true', 'on', 'yes', '1']);
const FALSE_WORDS = new Set(['false', 'off', 'no', '0']);

function toBoolean(raw: unknown, { on, off }: Words): boolean | undefined {
  if (on !== undefined && String(raw) === String(on)) return true;
  if (off !== undefined) return String(raw) === String(off) ? false : undefined;
  if (on !== undefined) return false;
  const text = String(raw).trim().toLowerCase();
  if (TRUE_WORDS.has(text)) return true;
  return FALSE_WORDS.has(text) ? false : undefined;
}

function toNumber(raw: unknown): number | undefined {
  if (typeof raw === 'boolean') return raw ? 1 : 0;
  if (typeof raw === 'string' && raw.trim() === '') return undefined;
  const number = typeof raw === 'number' || typeof raw === 'string' ? Number(raw) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

function convert(raw: unknown, datatype: PropertyConfig['datatype'], words: Words): Value | undefined {
  switch (datatype) {
    case 'boolean':
      return toBoolean(raw, words);
    case 'float':
    case 'integer':
      return toNumber(raw);
    default:
      return typeof raw === 'object' && raw !== null ? JSON.stringify(raw) : String(raw);
  }
}

/**
 * What a device said, as the property's datatype. Scale and limits are the core's.
 * @throws Problem `sensor-failed` that names the value and what was wanted
 */
export function toValue(raw: unknown, config: PropertyConfig, words: Words = {}): Value {
  const meant = typeof raw !== 'object' && words.map && Object.hasOwn(words.map, String(raw)) ? words.map[String(raw)] : raw;
  const value = convert(meant, config.datatype, words);
  if (value !== undefined) return value;
  const wanted = config.datatype === 'boolean' ? `${shown(words.on ?? true)} or ${shown(words.off ?? false)}` : 'a number';
  throw new Problem('sensor-failed', `the value is ${shown(raw)}; ${wanted} is wanted`);
}

/** A value in the device's own words: the way back of {@link toValue}. */
export function fromValue(value: Value, config: PropertyConfig, words: Words = {}): unknown {
  const mapped = Object.entries(words.map ?? {}).find(([, meaning]) => meaning === value);
  if (mapped) return mapped[0];
  if (value === true && words.on !== undefined) return words.on;
  if (value === false && words.off !== undefined) return words.off;
  return config.datatype === 'json' ? JSON.parse(String(value)) : value;
}
