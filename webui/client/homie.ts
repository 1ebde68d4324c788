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
export function namedStates(format: string): { on: string; off: string } | undefined {
  const [off, on] = format.split(',');
  return off && on ? { on, off } : undefined;
}

const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const DURATION_PARTS_S = [86_400, 3600, 60, 1];
/** `PT1H30M` → 5400; undefined for what is no duration. */
export function durationSeconds(payload: string): number | undefined {
  const [, ...parts] = DURATION.exec(payload) ?? [];
  if (parts.every((part) => part === undefined)) return undefined;
  return parts.reduce((sum, part, i) => sum + Number(part ?? 0) * (DURATION_PARTS_S[i] ?? 0), 0);
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
