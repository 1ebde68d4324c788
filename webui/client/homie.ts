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
        // who gives no name of their own often says the id again
        name: it.name === property ? readable(property) : text(it.name, readable(property)),
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

const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
/** `PT1H30M` → `1 h 30 min`; undefined for what is no duration. */
function durationText(payload: string): string | undefined {
  const [, ...parts] = DURATION.exec(payload) ?? [];
  const shown = parts.flatMap((part, i) => (part === undefined || Number(part) === 0 ? [] : [`${part} ${['d', 'h', 'min', 's'][i]}`]));
  if (shown.length > 0) return shown.join(' ');
  return parts.some((part) => part !== undefined) ? '0 s' : undefined;
}

const hex = (parts: readonly number[]) => `#${parts.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;

/** Homie 5, "Color": `rgb,255,128,0` or `hsv,30,100,100` as `#ff8000`; undefined for `xyz`, which needs a screen's profile, and for what is none. */
export function colourOf(payload: string): string | undefined {
  const [kind, ...words] = payload.split(',');
  const parts = words.map(Number);
  const within = (...limits: number[]) => parts.length === limits.length && parts.every((part, i) => part >= 0 && part <= (limits[i] ?? 0));
  if (kind === 'rgb' && within(255, 255, 255)) return hex(parts);
  if (kind !== 'hsv' || !within(360, 100, 100)) return undefined;
  const [hue = 0, saturation = 0, brightness = 0] = parts;
  return hex(
    [5, 3, 1].map((n) => {
      const k = (n + hue / 60) % 6;
      return (brightness / 100) * (1 - (saturation / 100) * Math.max(0, Math.min(k, 4 - k, 1))) * 255;
    }),
  );
}

/** `#ff8000` as `rgb,255,128,0`. */
export const rgbOf = (colour: string): string => `rgb,${[1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)).join(',')}`;

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
    case 'duration':
      return durationText(payload) ?? payload;
    default:
      return textOf(payload);
  }
}
