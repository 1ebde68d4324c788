import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { durationMs, durationSchema, Problem, type PropertyConfig, shown, type Value } from '@ledge/contract';
import { asError } from '@ledge/kit';
import {
  type Driver,
  type DriverEnvironment,
  type DriverProperty,
  type DriverSink,
  defineDriver,
  type OpenThing,
  suggestion,
} from '@ledge/sdk';
import { z } from 'zod';
import { libgpiodLines, libgpiodUnavailable } from './gpio-libgpiod.ts';
import {
  chooseChip,
  defaultChip,
  type GpioChip,
  type GpioLines,
  type GpioOutput,
  hasHeader,
  type Level,
  type LineAddress,
  shownLine,
} from './gpio-lines.ts';
import { loadOnoff, type OnoffGpioClass, sysfsChips, sysfsLines } from './gpio-sysfs.ts';

const EXPORT = 'sys/class/gpio/export';
const LAST_BCM = 27;
/** Pins of a Raspberry Pi's header that serve nothing else. */
const FREE_BCM = [17, 27, 22, 5, 6, 13, 19, 26, 16];

const optionsSchema = z.strictObject({
  method: z
    .enum(['auto', 'sysfs', 'libgpiod'])
    .default('auto')
    .meta({ description: 'how lines are reached; auto takes sysfs (onoff) where it is, else the libgpiod tools' }),
  chip: z.string().max(64).optional().meta({ description: 'chip of all lines, by label or name; default: the one with the header' }),
});
const sourceSchema = z
  .strictObject({
    bcm: z.int().min(0).max(LAST_BCM).optional().meta({ description: 'BCM number of a Raspberry Pi, as in GPIO17' }),
    line: z
      .union([z.int().min(0).max(1023), z.string().regex(/^[A-Za-z][\w .:/-]*$/, 'a line name such as GPIO17 is wanted')])
      .optional()
      .meta({ description: 'offset on the chip, or the name of the line (names need libgpiod)' }),
    chip: z.string().max(64).optional(),
    direction: z.enum(['in', 'out']).optional().meta({ description: 'default: out for a settable property, else in' }),
    activeLow: z.boolean().default(false).meta({ description: 'true when low means true, as with a button to ground' }),
    edge: z.enum(['both', 'rising', 'falling']).optional().meta({ description: 'which changes of an input are told; default both' }),
    debounce: durationSchema.optional().meta({ description: 'how long an input must be at rest, for contacts that bounce' }),
    pull: z.enum(['up', 'down', 'none']).optional().meta({ description: 'pull resistor of an input (needs libgpiod)' }),
    initial: z.boolean().optional().meta({ description: 'what an output is at first; default: its safe value, else false' }),
    safe: z.boolean().optional().meta({ description: 'what an output is set to when the thing is closed' }),
  })
  .refine((source) => (source.bcm === undefined) !== (source.line === undefined), 'either bcm or line is wanted');
type Options = z.output<typeof optionsSchema>;
type Source = z.output<typeof sourceSchema>;
type Property = DriverProperty<Source>;

const directionOf = ({ source, config }: Property) => source.direction ?? (config.settable ? 'out' : 'in');

/** A level as the property's datatype: an enum's first word is low and its second one high. */
function toValue(level: Level, { datatype, values }: PropertyConfig): Value {
  if (datatype === 'boolean') return level === 1;
  return datatype === 'enum' ? (values?.[level] ?? '') : level;
}
function toLevel(value: Value, { values }: PropertyConfig): Level {
  const active = typeof value === 'string' ? values?.indexOf(value) === 1 : Boolean(value);
  return active ? 1 : 0;
}

/** What zod cannot see: source and property together. */
function checkProperty(property: Property): void {
  const { key, config, source } = property;
  const wrong = (text: string) => new Problem('thing-invalid', `${key}.${text}`);
  const { datatype } = config;
  if (datatype !== 'boolean' && datatype !== 'integer' && datatype !== 'float' && !(datatype === 'enum' && config.values?.length === 2)) {
    throw wrong(`datatype is ${datatype}; boolean, integer or an enum of two values is wanted for a GPIO line`);
  }
  if (directionOf(property) === 'out') {
    const unfit = (['edge', 'debounce', 'pull'] as const).find((name) => source[name] !== undefined);
    if (unfit) throw wrong(`source.${unfit} is ${shown(source[unfit])}; it belongs to an input, and this is an output`);
    return;
  }
  if (config.settable) throw wrong('settable is true, but source.direction is in; an input cannot be set');
  const unfit = (['initial', 'safe'] as const).find((name) => source[name] !== undefined);
  if (unfit) throw wrong(`source.${unfit} is ${shown(source[unfit])}; it belongs to an output, and this is an input`);
}

/** Why onoff cannot be used here, or undefined. */
async function sysfsUnavailable({ root }: DriverEnvironment, load: () => Promise<OnoffGpioClass>): Promise<string | undefined> {
  const code = await access(join(root, EXPORT), constants.W_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );
  if (code === 'ENOENT') return `/${EXPORT} is missing (a kernel without GPIO sysfs)`;
  if (code !== undefined) return `/${EXPORT} may not be written by this user (${code}; it has to be in the group gpio)`;
  if ((await sysfsChips(root)).length === 0) return '/sys/class/gpio has no chip';
  return load().then(
    () => undefined,
    (error: unknown) => `onoff cannot be loaded (${asError(error).message.split('\n')[0]})`,
  );
}

/** The way to the lines that this machine has and these properties need. */
async function findLines(
  { method }: Options,
  properties: readonly Property[],
  environment: DriverEnvironment,
  load: () => Promise<OnoffGpioClass>,
): Promise<GpioLines> {
  const { root, clock, log, processes } = environment;
  const ways = {
    sysfs: {
      why: () => sysfsUnavailable(environment, load),
      lines: async () => sysfsLines({ root, clock, log, Gpio: await load() }),
    },
    libgpiod: { why: () => libgpiodUnavailable(processes), lines: async () => libgpiodLines({ processes, clock, log }) },
  };
  const needsLibgpiod = properties.some(({ source }) => source.pull !== undefined || typeof source.line === 'string');
  const order =
    method === 'auto' ? (needsLibgpiod ? (['libgpiod', 'sysfs'] as const) : (['sysfs', 'libgpiod'] as const)) : ([method] as const);
  const reasons: string[] = [];
  for (const name of order) {
    const why = await ways[name].why();
    if (why === undefined) return ways[name].lines();
    reasons.push(why);
  }
  throw new Problem('driver-unavailable', `This machine has no GPIO that can be used: ${reasons.join(', and ')}`);
}

/** Which thing uses a line: sysfs would let two things share one without a word. */
type Claims = Map<string, string>;

interface Opening {
  thing: string;
  options: Options;
  lines: GpioLines;
  chips: readonly GpioChip[];
  claims: Claims;
  sink: DriverSink;
  trial: boolean;
  onClose(close: () => Promise<void>): void;
}

function addressOf({ source }: Property, { options, chips }: Opening): LineAddress {
  const wanted = source.chip ?? options.chip;
  const line = source.bcm ?? source.line ?? 0;
  if (typeof line === 'number') return { chip: chooseChip(chips, wanted, line), line };
  return { chip: wanted === undefined ? undefined : chooseChip(chips, wanted, 0), line };
}

const claimName = ({ chip, line }: LineAddress) => `${chip?.name ?? ''} ${line}`;

function claim(address: LineAddress, { thing, claims, onClose }: Opening): void {
  const name = claimName(address);
  const owner = claims.get(name);
  if (owner !== undefined) throw new Problem('thing-invalid', `${shownLine(address)} is used by the thing ${owner} already`);
  claims.set(name, thing);
  onClose(async () => {
    claims.delete(name);
  });
}

/** Opens one property's line; an output is given back. */
async function openLine(property: Property, opening: Opening): Promise<GpioOutput | undefined> {
  const { key, config, source } = property;
  const { lines, sink, trial, onClose } = opening;
  const address = addressOf(property, opening);
  claim(address, opening);
  if (trial && directionOf(property) === 'out') {
    throw new Problem('not-supported', `${shownLine(address)} is an output; it is not moved to try it out`);
  }
  const { activeLow } = source;
  const fault = (problem: Error) => sink.fault(key, problem);
  if (directionOf(property) === 'out') {
    const initial = (source.initial ?? source.safe ?? false) ? 1 : 0;
    const output = await lines.drive(
      { ...address, initial, activeLow },
      { fault, driven: (level) => sink.value(key, toValue(level, config)) },
    );
    onClose(() => output.close());
    return output;
  }
  // what a happening such as a button press was before is no happening
  let first = !config.retained;
  const level = (now: Level, time?: number) => {
    if (!first) sink.value(key, toValue(now, config), time);
    first = false;
  };
  const debounceMs = source.debounce === undefined ? 0 : durationMs(source.debounce);
  const input = await lines.watch({ ...address, activeLow, edge: source.edge ?? 'both', debounceMs, pull: source.pull }, { fault, level });
  onClose(() => input.close());
  return undefined;
}

/** A suggested thing of one line that no thing uses. */
function pinThing(name: 'Input' | 'Output', chip: GpioChip, line: number | undefined) {
  if (line === undefined) return undefined;
  const place = hasHeader(chip) ? { bcm: line } : { line };
  const property = name === 'Input' ? { source: { ...place, debounce: '20ms' } } : { settable: true, source: { ...place, safe: false } };
  return suggestion(`${name} at ${hasHeader(chip) ? `GPIO${line}` : `line ${line} of ${chip.label}`}`, {
    name,
    driver: 'gpio',
    properties: { [name.toLowerCase()]: { datatype: 'boolean', ...property } },
  });
}

const toError = (error: unknown) => asError(error).message;

/**
 * The driver, on the machine's onoff or on another one with its shape.
 * @param load onoff's class, asked for when the first line is opened
 */
export function gpioDriver(load: () => Promise<OnoffGpioClass> = loadOnoff): Driver<typeof optionsSchema, typeof sourceSchema> {
  const claims: Claims = new Map();
  return defineDriver({
    name: 'gpio',
    summary: 'pins: buttons, contacts, relays, lamps',
    example: `name: Garden gate
driver: gpio
properties:
  open:
    datatype: boolean
    source: { bcm: 17, pull: up, activeLow: true, debounce: 20ms }
  lamp:
    datatype: boolean
    settable: true
    source: { bcm: 27, safe: false }
`,
    options: optionsSchema,
    source: sourceSchema,
    template: `name: Garden gate
driver: gpio
properties:
  open:
    datatype: boolean
    # bcm: the number in GPIO17. activeLow: the contact goes to ground, so low means true
    source: { bcm: 17, pull: up, activeLow: true, debounce: 20ms }
  lamp:
    datatype: boolean
    settable: true
    source: { bcm: 27, safe: false }    # safe: what it is set to when the thing is closed
`,
    async found(environment) {
      const lines = await findLines({ method: 'auto', chip: undefined }, [], environment, load);
      const chip = defaultChip(await lines.chips());
      if (!chip) return [];
      const numbers = hasHeader(chip) ? FREE_BCM : Array.from({ length: Math.min(chip.lines, FREE_BCM.length) }, (_, line) => line);
      const [input, output] = numbers.filter((line) => !claims.has(claimName({ chip, line })));
      return [pinThing('Input', chip, input), pinThing('Output', chip, output)].flatMap((found) => found ?? []);
    },
    unavailable: (environment) => findLines({ method: 'auto', chip: undefined }, [], environment, load).then(() => undefined, toError),

    async open({ id, options, properties, trial = false }, sink, environment) {
      for (const property of properties) checkProperty(property);
      const lines = await findLines(options, properties, environment, load);
      const outputs = new Map<string, { property: Property; output: GpioOutput }>();
      let closers: (() => Promise<void>)[] = [];
      const opening: Opening = {
        thing: id,
        options,
        lines,
        chips: await lines.chips(),
        claims,
        sink,
        trial,
        onClose: (close) => closers.unshift(close),
      };

      const close = async () => {
        const due = closers;
        closers = [];
        if (due.length > 0) await Promise.all([...outputs.values()].map(({ property, output }) => makeSafe(property, output, environment)));
        for (const closeOne of due) await closeOne();
      };
      const write: OpenThing['write'] = async (key, value, signal) => {
        const found = outputs.get(key);
        if (!found) throw new Problem('command-rejected', `${key} is an input; it cannot be set`);
        signal.throwIfAborted();
        await found.output.write(toLevel(value, found.property.config));
        return value;
      };

      try {
        for (const property of properties) {
          const output = await openLine(property, opening).catch((error: unknown) => {
            if (!trial) throw error;
            sink.fault(property.key, asError(error));
          });
          if (output) outputs.set(property.key, { property, output });
        }
      } catch (error) {
        await close();
        throw error;
      }
      return { polled: new Set(), read: async () => new Map(), write, awaits: () => 'change of its line', close };
    },
  });
}

async function makeSafe({ key, source: { safe } }: Property, output: GpioOutput, { log }: DriverEnvironment): Promise<void> {
  if (safe === undefined) return;
  await output.write(safe ? 1 : 0).catch((error: unknown) => {
    log.error({ property: key, error: toError(error) }, 'output could not be made safe');
  });
}

/** GPIO lines by onoff, or by the libgpiod tools. */
export const gpio = gpioDriver();
