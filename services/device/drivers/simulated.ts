import { durationMs, durationSchema, Problem, type PropertyConfig, type Value } from '@ledge/contract';
import { type DriverProperty, defineDriver, type OpenThing } from '@ledge/sdk';
import { z } from 'zod';

const source = z.strictObject({
  wave: z
    .enum(['sine', 'square', 'walk', 'counter', 'constant'])
    .optional()
    .meta({ description: 'default: sine, or constant where the property can be set' }),
  low: z.number().optional().meta({ description: "default: the property's min, or 0" }),
  high: z.number().optional().meta({ description: "default: the property's max, or 100" }),
  period: durationSchema.default('1m').meta({ description: 'of a sine or square wave' }),
  step: z.number().default(1).meta({ description: 'how far a walk goes at most, or a counter always, from one reading to the next' }),
  noise: z.number().min(0).default(0).meta({ description: 'so much is added or taken away by chance' }),
  value: z
    .union([z.number(), z.boolean(), z.string()])
    .optional()
    .meta({ description: 'what a constant or settable property begins with' }),
  failEvery: z.int().min(1).optional().meta({ description: 'each so-many-th reading fails' }),
  hangEvery: z.int().min(1).optional().meta({ description: 'each so-many-th reading never ends' }),
  delay: durationSchema.optional().meta({ description: 'a command takes so long' }),
  reject: z.string().optional().meta({ description: 'commands are refused with this sentence' }),
});
type Given = z.output<typeof source>;
type Source = Given & { wave: NonNullable<Given['wave']>; low: number; high: number };

/** Ends when time is over: what a sensor does that hangs. */
const hang = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });

/** Where a wave is, 0 (low) to 1 (high). */
function phase(wave: Source['wave'], nowMs: number, periodMs: number): number {
  const turn = (nowMs % periodMs) / periodMs;
  if (wave === 'square') return turn < 0.5 ? 1 : 0;
  return (1 + Math.sin(2 * Math.PI * turn)) / 2;
}

/** Once around the hues, in a kind that the property has. Homie 5, "Color". */
function colour(kind: string, level: number): string {
  const channel = (n: number) => {
    const k = (n + level * 6) % 6;
    return Math.round(255 * (1 - Math.max(0, Math.min(k, 4 - k, 1))));
  };
  if (kind === 'rgb') return `rgb,${channel(5)},${channel(3)},${channel(1)}`;
  return kind === 'xyz' ? `xyz,${(level / 2).toFixed(2)},0.4` : `hsv,${Math.round(level * 360)},100,100`;
}

/** A number between `low` and `high` as a value of the property's datatype. */
function asDatatype({ datatype, values = [] }: PropertyConfig, level: number, number: number): Value {
  switch (datatype) {
    case 'float':
      return Number(number.toFixed(3));
    case 'integer':
      return Math.round(number);
    case 'boolean':
      return level >= 0.5;
    case 'enum':
      return values[Math.min(values.length - 1, Math.floor(level * values.length))] ?? '';
    case 'color':
      return colour(values[0] ?? 'rgb', level);
    case 'datetime':
      return new Date(number * 1000).toISOString();
    case 'duration':
      return `PT${Math.max(0, Math.round(number))}S`;
    case 'json':
      return JSON.stringify({ value: number });
    case 'string':
      return String(Number(number.toFixed(3)));
  }
}

/** Sensors and actuators that exist only here: for trying out, for demonstrations, and to load the rest. */
export const simulated = defineDriver({
  name: 'simulated',
  summary: 'Pretended sensors and switches: waves, random walks, counters, with failures on demand',
  example: `name: Greenhouse
driver: simulated
room: Garden
sample: { every: 2s }
properties:
  temperature: { datatype: float, unit: °C, source: { wave: sine, low: 18, high: 31, period: 10m, noise: 0.2 } }
  window: { datatype: boolean, settable: true, source: { value: false } }
`,
  template: `name: Try it
driver: simulated
sample: { every: 2s }
properties:
  temperature:
    datatype: float
    unit: °C
    source: { wave: sine, low: 18, high: 26, period: 5m, noise: 0.2 }    # also square, walk, counter and constant
  switch: { datatype: boolean, settable: true }
`,
  options: z.strictObject({}),
  source,

  async unavailable() {
    return undefined;
  },

  async open(thing, _sink, environment): Promise<OpenThing> {
    const properties = new Map(thing.properties.map((property) => [property.key, new Simulated(property)]));
    const known = (key: string) => {
      const property = properties.get(key);
      if (!property) throw new Problem('sensor-failed', `${key} is no property of this thing`);
      return property;
    };
    return {
      polled: new Set(properties.keys()),
      async read(keys, signal) {
        const nowMs = environment.clock.now();
        const answers = keys.map(async (key): Promise<[string, Value | Error]> => {
          try {
            return [key, await known(key).read(nowMs, environment.random, signal)];
          } catch (error) {
            return [key, error as Error];
          }
        });
        return new Map(await Promise.all(answers));
      },
      async write(key, value, signal) {
        const property = known(key);
        const { delay, reject } = property.source;
        signal.throwIfAborted();
        if (delay) await environment.clock.sleep(durationMs(delay), signal);
        if (reject !== undefined) throw new Problem('command-rejected', reject);
        property.held = value;
        return value;
      },
      async close() {},
    };
  },
});

class Simulated {
  readonly source: Source;
  /** What was set, or a constant; undefined while the wave says the value. */
  held: Value | undefined;
  readonly #config: PropertyConfig;
  readonly #periodMs: number;
  #readings = 0;
  #walk: number;

  constructor({ config, source: given }: DriverProperty<Given>) {
    const low = given.low ?? config.min ?? 0;
    const high = given.high ?? config.max ?? Math.max(low, 100);
    this.source = { ...given, wave: given.wave ?? (config.settable ? 'constant' : 'sine'), low, high };
    this.held = given.value;
    this.#config = config;
    this.#periodMs = durationMs(given.period);
    this.#walk = given.wave === 'counter' ? low - given.step : (low + high) / 2;
  }

  async read(nowMs: number, random: () => number, signal: AbortSignal): Promise<Value> {
    const { failEvery, hangEvery } = this.source;
    this.#readings++;
    if (failEvery && this.#readings % failEvery === 0) throw new Problem('sensor-failed', `it fails at each reading number ${failEvery}`);
    if (hangEvery && this.#readings % hangEvery === 0) await hang(signal);
    if (this.held !== undefined) return this.held;
    const number = this.#number(nowMs, random);
    const { low, high } = this.source;
    return asDatatype(this.#config, high > low ? Math.min(1, Math.max(0, (number - low) / (high - low))) : 0, number);
  }

  #number(nowMs: number, random: () => number): number {
    const { wave, low, high, step, noise } = this.source;
    const jitter = noise === 0 ? 0 : (2 * random() - 1) * noise;
    switch (wave) {
      case 'constant':
        return low + jitter;
      case 'counter':
        this.#walk += step;
        return this.#walk;
      case 'walk':
        this.#walk = Math.min(high, Math.max(low, this.#walk + (2 * random() - 1) * step));
        return this.#walk + jitter;
      default:
        return low + phase(wave, nowMs, this.#periodMs) * (high - low) + jitter;
    }
  }
}
