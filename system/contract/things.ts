import { z } from 'zod';
import { COLOR_LIMITS, DATATYPES, type Datatype } from './homie.ts';
import { valueSchema } from './readings.ts';
import { ID_PATTERN } from './topics.ts';

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a duration such as `500ms`, `5s`, `2m`, `1h`. The text must have passed {@link durationSchema}. */
export function durationMs(text: string): number {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  if (amount === undefined) throw new TypeError(`${text} is no duration`);
  return Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** Longer than this no timer of Node's can wait: it would fire at once, again and again. */
const LONGEST_MS = 24 * UNIT_MS.d;

/** A time span as people write it: `500ms`, `5s`, `2m`, `1h`, `7d`. */
export const durationSchema = z
  .string()
  .regex(DURATION, { error: 'a time span such as 500ms, 5s, 2m or 1h is wanted', abort: true })
  .refine((text) => durationMs(text) <= LONGEST_MS, '24d or less is wanted');
/** The same for what is done again and again. */
const intervalSchema = durationSchema.refine((text) => !DURATION.test(text) || durationMs(text) >= 1, '1ms or more is wanted');

export const idSchema = z.string().max(64).regex(ID_PATTERN, 'lower-case letters, digits and hyphens are wanted, such as living-room');

const samplingShape = {
  every: intervalSchema.meta({ description: 'how often the driver reads, for drivers that are asked; default 5s' }),
  onChange: z.boolean().meta({ description: 'say a value only when it differs from the last one said' }),
  threshold: z.number().positive().optional().meta({ description: 'say a number only when it moved by at least this much' }),
  atLeastEvery: intervalSchema.optional().meta({ description: 'say an unchanged value again after this time all the same' }),
};

/** When a property is read and when what was read is said. */
export const samplingSchema = z
  .strictObject({ ...samplingShape, every: samplingShape.every.default('5s'), onChange: samplingShape.onChange.default(false) })
  .meta({ description: 'sampling' });
/** What a file says of it, without defaults: a property's goes over the thing's, key by key. */
const samplingRulesSchema = z.strictObject(samplingShape).partial() satisfies z.ZodType<SamplingRules>;
/** What a thing file says of sampling. Times are text such as `500ms`, `5s`, `2m`, `1h`. */
export interface SamplingRules {
  /** How often a driver that is asked reads; default `5s`. */
  every?: string | undefined;
  /** A value is said only when it differs from the last one said. */
  onChange?: boolean | undefined;
  /** A number is said only when it moved by at least this much. */
  threshold?: number | undefined;
  /** An unchanged value is said again after this time all the same. */
  atLeastEvery?: string | undefined;
}
export type Sampling = z.infer<typeof samplingSchema>;

const propertyShape = z.strictObject({
  name: z.string().max(100).optional().meta({ description: 'what people read; default: the id' }),
  datatype: z.enum(DATATYPES),
  unit: z.string().max(20).optional().meta({ description: 'for example °C, %, V, W; Homie lists the common ones' }),
  min: z.number().optional().meta({ description: 'smallest value that is believed or taken' }),
  max: z.number().optional().meta({ description: 'largest value that is believed or taken' }),
  step: z.number().positive().optional(),
  values: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .meta({ description: 'the words of an enum, or of rgb, hsv and xyz those that a colour has' }),
  settable: z.boolean().default(false),
  retained: z.boolean().default(true).meta({ description: 'false for happenings such as a button press' }),
  history: z.boolean().default(true).meta({ description: 'false keeps this property out of the recorder' }),
  scale: z
    .number()
    .refine((scale) => scale !== 0, 'another number than 0 is wanted')
    .optional()
    .meta({ description: 'what was read is multiplied by this …' }),
  offset: z.number().optional().meta({ description: '… and this is added' }),
  source: z.record(z.string(), z.unknown()).default({}).meta({ description: "the driver's own options for this property" }),
  sample: samplingRulesSchema.optional().meta({ description: "overrides the thing's sampling" }),
});
/** A property as its thing file says it, with defaults filled in. */
export interface PropertyConfig {
  /** What people read; default: the id. */
  name?: string | undefined;
  /** Homie's word for the kind of value. */
  datatype: Datatype;
  /** For example `°C`, `%`, `V`, `W`. */
  unit?: string | undefined;
  /** Smallest value that is believed or taken. */
  min?: number | undefined;
  /** Largest value that is believed or taken. */
  max?: number | undefined;
  /** A number that is set is rounded to a multiple of this. */
  step?: number | undefined;
  /** The words of an `enum`, or of rgb, hsv and xyz those that a `color` has. */
  values?: string[] | undefined;
  /** It takes commands. */
  settable: boolean;
  /** False for happenings such as a button press. */
  retained: boolean;
  /** False keeps it out of the recorder. */
  history: boolean;
  /** What was read is multiplied by this, after the driver. */
  scale?: number | undefined;
  /** This is added then. */
  offset?: number | undefined;
  /** The driver's own options for this property, before its schema. */
  source: Record<string, unknown>;
  /** When it is read and said, where that is not as the thing says. */
  sample?: SamplingRules | undefined;
}

/** Homie 5, "Formats": the words of an enum and the kinds of a colour are listed with commas between them. */
export const propertySchema = propertyShape
  .refine((p) => p.datatype !== 'enum' || p.values, { error: 'an enum needs its values', path: ['values'] })
  .refine((p) => p.datatype !== 'enum' || !p.values?.some((word) => word.includes(',')), {
    error: 'words without a comma are wanted',
    path: ['values'],
  })
  .refine((p) => p.values === undefined || new Set(p.values).size === p.values.length, {
    error: 'each word once is wanted',
    path: ['values'],
  })
  .refine((p) => p.datatype !== 'color' || !p.values || p.values.every((kind) => Object.hasOwn(COLOR_LIMITS, kind)), {
    error: 'rgb, hsv and xyz are the kinds of a colour',
    path: ['values'],
  }) satisfies z.ZodType<PropertyConfig>;

export const nodeSchema = z.strictObject({
  name: z.string().max(100).optional(),
  type: z.string().max(100).optional(),
  properties: z.record(idSchema, propertySchema),
});
export type NodeConfig = z.infer<typeof nodeSchema>;

/** Things that another service of Ledge says by itself: no file may take their names. */
export const TAKEN_THINGS: readonly string[] = ['media'];

/** Node that holds `properties` which a file lists directly under the thing. */
export const DEFAULT_NODE = 'main';

/**
 * One thing as its YAML file says it. `properties` directly under the thing is short for one node called `main`.
 * The driver's options (`options`, and `source` of each property) are checked by the driver's own schema.
 */
export const thingSchema = z
  .strictObject({
    name: z.string().max(100).optional().meta({ description: 'what people read; default: the file name' }),
    driver: z.string().meta({ description: 'system, gpio, w1, iio, hwmon, mqtt, http, serial or simulated, or one of your own' }),
    room: z.string().max(100).optional().meta({ description: 'where it is; the dashboard groups by it' }),
    enabled: z.boolean().default(true).meta({ description: 'false: it is kept, and not opened' }),
    options: z.record(z.string(), z.unknown()).default({}).meta({ description: "the driver's own options" }),
    sample: samplingRulesSchema.default({}),
    nodes: z.record(idSchema, nodeSchema).optional(),
    properties: z.record(idSchema, propertySchema).optional(),
  })
  .refine((t) => (t.nodes === undefined) !== (t.properties === undefined), 'either nodes or properties is wanted, not both');
export type ThingFile = z.infer<typeof thingSchema>;

/** Homie's life-cycle word of a thing, and what it reads now: the answer of `GET /api/device/things`. */
export const propertyViewSchema = z.object({
  node: z.string(),
  property: z.string(),
  name: z.string(),
  datatype: z.enum(DATATYPES),
  unit: z.string().optional(),
  format: z.string().optional(),
  settable: z.boolean(),
  value: valueSchema.nullable(),
  time: z.iso.datetime().nullable().meta({ description: 'when the value was measured' }),
  fault: z.string().nullable().meta({ description: 'why it cannot be read now, for people' }),
});
export type PropertyView = z.infer<typeof propertyViewSchema>;

export const thingViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  driver: z.string(),
  room: z.string().optional(),
  enabled: z.boolean().meta({ description: 'false when its file switches it off: it is then disconnected' }),
  state: z.enum(['init', 'ready', 'disconnected', 'sleeping', 'lost']),
  file: z.string().nullable().meta({ description: 'null for things that Ledge made itself' }),
  fault: z.string().nullable(),
  properties: z.array(propertyViewSchema),
});
export type ThingView = z.infer<typeof thingViewSchema>;

/** A file in the folder of things, whether it can be used or not. */
export const thingFileViewSchema = z.object({
  file: z.string(),
  thing: z.string().meta({ description: "the file's name without .yaml; no id when that is what is wrong with it" }),
  fault: z
    .object({ line: z.int().optional(), key: z.string().optional(), message: z.string() })
    .optional()
    .meta({ description: 'the first mistake in it; the thing that it was before, if any, goes on' }),
});
export type ThingFileView = z.infer<typeof thingFileViewSchema>;

/** What one property says when a thing is tried out. Either a value or a fault. */
export const trialReadingSchema = z.object({
  node: z.string(),
  property: z.string(),
  name: z.string(),
  unit: z.string().optional(),
  value: valueSchema.nullable(),
  fault: z.string().nullable().meta({ description: 'why there is no value, for people' }),
  tookMs: z.int(),
});
export type TrialReading = z.infer<typeof trialReadingSchema>;
