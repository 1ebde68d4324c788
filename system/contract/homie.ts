import { z } from 'zod';
import type { Value } from './readings.ts';

/** Homie 5, "Payload": the datatypes of a property. `float` and `integer` are numbers, `boolean` true or false, all others text. */
export type Datatype = 'float' | 'integer' | 'boolean' | 'string' | 'enum' | 'color' | 'datetime' | 'duration' | 'json';
export const DATATYPES = [
  'float',
  'integer',
  'boolean',
  'string',
  'enum',
  'color',
  'datetime',
  'duration',
  'json',
] as const satisfies readonly Datatype[];

/** Homie 5, "Property attributes". */
export interface HomieProperty {
  /** What people read. */
  name: string;
  /** The kind of value. */
  datatype: Datatype;
  /** Limits: `min:max:step` of a number, each may be left out; words of an enum or kinds of a colour with commas between them. */
  format?: string;
  /** It takes commands; default: no. */
  settable?: boolean;
  /** The broker holds its value; default: yes. What only happens, such as a button press, is not held. */
  retained?: boolean;
  /** For example `°C`, `%`, `V`, `W`. */
  unit?: string;
}
export interface HomieNode {
  name: string;
  type?: string;
  properties: Record<string, HomieProperty>;
}
/** Homie 5, "Device description document", as said on `$description`. */
export interface HomieDescription {
  homie: '5.0';
  version: number;
  name: string;
  type?: string;
  nodes: Record<string, HomieNode>;
  /** Of a root device: its children. While the root is not `ready`, its state stands for theirs too; so one will says `lost` for all. */
  children?: string[];
  /** Of a child: the root device of its tree, and the device directly above it. */
  root?: string;
  parent?: string;
}

export const homieDescriptionSchema = z.object({
  homie: z.string().startsWith('5'),
  version: z.int(),
  name: z.string().optional(),
  type: z.string().optional(),
  children: z.array(z.string()).optional(),
  root: z.string().optional(),
  parent: z.string().optional(),
  nodes: z
    .record(
      z.string(),
      z.object({
        name: z.string().optional(),
        type: z.string().optional(),
        properties: z.record(
          z.string(),
          z.object({
            name: z.string().optional(),
            datatype: z.enum(DATATYPES),
            format: z.string().optional(),
            settable: z.boolean().optional(),
            retained: z.boolean().optional(),
            unit: z.string().optional(),
          }),
        ),
      }),
    )
    .default({}),
});

/** A value as Homie 5 wants it on the wire (section "Payload"). An empty string is one zero byte there; a number has no plus sign. */
export function formatPayload(value: Value): string {
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (value === '') return '\0';
  if (typeof value === 'number') return String(value).replace('+', '');
  return String(value);
}

const FLOAT = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const DURATION = /^PT(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?$/;
/** ISO 8601 as computers write it. `Date.parse` alone takes nearly anything, such as `lamp 1`. */
const DATETIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;
const INTEGER = /^-?\d+$/;
/** Homie 5, "Color": the largest of the numbers after the word; xyz gives x and y, z follows from them. */
export const COLOR_LIMITS = { rgb: [255, 255, 255], hsv: [360, 100, 100], xyz: [1, 1] } as const;

export type ParsedPayload = { ok: true; value: Value } | { ok: false; wanted: string };
const good = (value: Value): ParsedPayload => ({ ok: true, value });
const bad = (wanted: string): ParsedPayload => ({ ok: false, wanted });

/** Limits that a property's `format` puts on its value. */
export interface ValueLimits {
  min?: number | undefined;
  max?: number | undefined;
  step?: number | undefined;
  values?: readonly string[] | undefined;
}

const LIMIT_OF_PART = ['min', 'max', 'step'] as const;

/** Homie 5, "Formats": what `$format` puts on a value: `min:max:step` for numbers, words for an enum or the kinds of a colour. */
export function limitsOf({ datatype, format = '' }: Pick<HomieProperty, 'datatype' | 'format'>): ValueLimits {
  if (format === '') return {};
  if (datatype === 'enum' || datatype === 'color') return { values: format.split(',') };
  if (datatype !== 'float' && datatype !== 'integer') return {};
  const parts = format.split(':').map((part, i) => [LIMIT_OF_PART[i], part === '' ? Number.NaN : Number(part)] as const);
  return Object.fromEntries(parts.filter(([limit, value]) => limit !== undefined && Number.isFinite(value)));
}

/** Homie 5, "Formats": rounded to the nearest step, counted from min, max or nought; only then min and max are looked at. */
function checkNumber(payload: number, { min, max, step }: ValueLimits): ParsedPayload {
  const base = min ?? max ?? 0;
  const value = step === undefined ? payload : Number((base + Math.round((payload - base) / step) * step).toPrecision(12));
  if (min !== undefined && value < min) return bad(`${min} or more is wanted`);
  if (max !== undefined && value > max) return bad(`${max} or less is wanted`);
  return good(value);
}

function checkColor(payload: string, kinds: readonly string[] = Object.keys(COLOR_LIMITS)): ParsedPayload {
  const [kind = '', ...parts] = payload.split(',');
  const limits: readonly number[] = kinds.includes(kind) ? (COLOR_LIMITS[kind as keyof typeof COLOR_LIMITS] ?? []) : [];
  const within = (part: string, limit = -1) => FLOAT.test(part) && Number(part) >= 0 && Number(part) <= limit;
  if (limits.length > 0 && parts.length === limits.length && parts.every((part, i) => within(part, limits[i]))) return good(payload);
  return bad(`a colour (${kinds.join(', ')}) such as rgb,255,128,0, hsv,30,100,100 or xyz,0.5,0.4 is wanted`);
}

/** Reads a Homie payload as the datatype says, or tells what was wanted. */
export function parsePayload(datatype: Datatype, payload: string, limits: ValueLimits = {}): ParsedPayload {
  switch (datatype) {
    case 'float': {
      const value = Number(payload);
      return FLOAT.test(payload) && Number.isFinite(value) ? checkNumber(value, limits) : bad('a number such as 21.5 is wanted');
    }
    case 'integer': {
      const value = Number(payload);
      return INTEGER.test(payload) && Number.isSafeInteger(value) ? checkNumber(value, limits) : bad('a whole number such as 42 is wanted');
    }
    case 'boolean':
      return payload === 'true' || payload === 'false' ? good(payload === 'true') : bad('true or false is wanted');
    case 'enum':
      return limits.values?.includes(payload) ? good(payload) : bad(`one of ${limits.values?.join(', ')} is wanted`);
    case 'color':
      return checkColor(payload, limits.values);
    case 'datetime':
      return DATETIME.test(payload) && !Number.isNaN(Date.parse(payload))
        ? good(payload)
        : bad('a time such as 2026-01-31T12:00:00Z is wanted');
    case 'duration':
      return DURATION.test(payload) ? good(payload) : bad('a duration such as PT5M is wanted');
    case 'json':
      try {
        const parsed: unknown = JSON.parse(payload);
        return typeof parsed === 'object' && parsed !== null ? good(payload) : bad('a JSON object or array is wanted');
      } catch {
        return bad('a JSON object or array is wanted');
      }
    case 'string':
      return good(payload === '\0' ? '' : payload);
  }
}

/** A value that came as JSON (from HTTP) as the payload that Homie would carry. */
export const payloadOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : formatPayload(value as Value);
