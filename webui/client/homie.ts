import type { Datatype } from '@ledge/contract';
import { DEVICE_STATES, type DeviceState } from '@ledge/contract/lifecycle.ts';

/** A property as its thing's `$description` says it. */
export interface PropertyInfo {
  node: string;
  property: string;
  name: string;
  datatype: Datatype;
  unit: string;
  format: string;
  settable: boolean;
  /** False for what only happens, such as a button: it has no value to show. */
  retained: boolean;
}
export interface ThingInfo {
  name: string;
  /** The thing whose state stands for this one too; undefined when it stands alone. */
  root: string | undefined;
  properties: PropertyInfo[];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown, otherwise: string) => (typeof value === 'string' && value !== '' ? value : otherwise);

export const stateOf = (payload: string): DeviceState => DEVICE_STATES.find((state) => state === payload) ?? 'lost';

/** `living-room` → `Living room`, for things that give no name. */
export function readable(id: string): string {
  const words = id.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Reads a Homie 5 description; anybody can publish one, so whatever does not fit is left out. Undefined when it is none at all. */
export function parseDescription(payload: string, thing: string): ThingInfo | undefined {
  let document: unknown;
  try {
    document = JSON.parse(payload);
  } catch {
    return undefined;
  }
  if (!isObject(document)) return undefined;
  const properties: PropertyInfo[] = [];
  for (const [node, content] of Object.entries(isObject(document.nodes) ? document.nodes : {})) {
    if (!isObject(content) || !isObject(content.properties)) continue;
    for (const [property, it] of Object.entries(content.properties)) {
      if (!isObject(it)) continue;
      properties.push({
        node,
        property,
        name: text(it.name, readable(property)),
        datatype: text(it.datatype, 'string') as Datatype,
        unit: text(it.unit, ''),
        format: text(it.format, ''),
        settable: it.settable === true,
        retained: it.retained !== false,
      });
    }
  }
  return { name: text(document.name, readable(thing)), root: text(document.root, '') || undefined, properties };
}

/** Homie 5, "Payload": an empty text is one zero byte on the wire, because an empty payload would clear the value. */
export const textOf = (payload: string): string => (payload === '\0' ? '' : payload);
export const payloadOf = (value: string | number | boolean): string => (value === '' ? '\0' : String(value));

/** Homie 5, "Formats": `min:max:step`, each may be left out. */
export function numberLimits(format: string): { min: number | undefined; max: number | undefined; step: number | undefined } {
  const [min, max, step] = format.split(':').map((part) => (part === '' || !Number.isFinite(Number(part)) ? undefined : Number(part)));
  return { min, max, step };
}

export const enumValues = (format: string): string[] => (format === '' ? [] : format.split(','));

/** Homie 5, "Formats": a boolean may name its two values, false first. */
export function booleanWords(format: string): { on: string; off: string } {
  const [off, on] = format.split(',');
  return off && on ? { on, off } : { on: 'On', off: 'Off' };
}

const numbers = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const smallNumbers = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const times = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** A payload as people read it. What is not as the datatype says is shown as it came. */
export function shownValue({ datatype, format }: Pick<PropertyInfo, 'datatype' | 'format'>, payload: string): string {
  switch (datatype) {
    case 'float':
    case 'integer': {
      const value = Number(payload);
      if (payload === '' || !Number.isFinite(value)) return payload;
      return value !== 0 && Math.abs(value) < 0.1 ? smallNumbers.format(value) : numbers.format(value);
    }
    case 'boolean':
      if (payload !== 'true' && payload !== 'false') return payload;
      return payload === 'true' ? booleanWords(format).on : booleanWords(format).off;
    case 'datetime': {
      const ms = Date.parse(payload);
      return Number.isNaN(ms) ? payload : times.format(ms);
    }
    default:
      return textOf(payload);
  }
}
