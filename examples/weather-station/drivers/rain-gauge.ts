import {
  type ChildProcessPort,
  type Clock,
  type DriverEnvironment,
  defineDriver,
  type OpenThing,
  Problem,
  type Value,
  z,
} from '@ledge/sdk';

const HOUR_MS = 3_600_000;
/** A bucket does not tip faster; a reed contact bounces for less. */
const DEBOUNCE = '20ms';
const RETRY_MS = 5000;
const PRETENDED_TIP_MS = 5000;

const options = z.strictObject({
  pin: z
    .string()
    .regex(/^[\w.-]+$/)
    .optional()
    .meta({
      description: 'name of the GPIO line with the contact, as gpioinfo tells it, such as GPIO17; without one the bucket is pretended',
    }),
  mmPerTip: z
    .number()
    .positive()
    .default(0.2794)
    .meta({ description: 'rain that makes the bucket tip once, mm; it is in the data sheet', unit: 'mm' }),
});
const source = z.strictObject({
  tells: z.enum(['intensity', 'last-hour', 'tips', 'cloudburst']).meta({
    description: 'mm/h now; mm in the last hour; tips since the start; a switch that lets it rain, of a pretended bucket only',
  }),
});
type Measure = z.output<typeof source>['tells'];

/** A tipping bucket: rain gauges of this kind close a contact each time that a small bucket is full and tips over. */
export default defineDriver({
  name: 'rain-gauge',
  summary: 'a tipping bucket at a GPIO pin: mm of rain, and mm/h',
  example: `name: Rain
driver: rain-gauge
options: { pin: GPIO17, mmPerTip: 0.2794 }
properties:
  intensity: { datatype: float, unit: mm/h, source: { tells: intensity } }
  last-hour: { datatype: float, unit: mm, source: { tells: last-hour } }
`,
  options,
  source,
  // without a pin it works anywhere; whether a pin can be had is seen when it is opened
  unavailable: async () => undefined,

  async open(thing, _sink, environment): Promise<OpenThing> {
    const { pin, mmPerTip } = thing.options;
    const bucket = new Bucket(mmPerTip, environment.clock);
    const measures = new Map(thing.properties.map(({ key, source }) => [key, source.tells]));
    if (pin !== undefined && [...measures.values()].includes('cloudburst')) {
      throw new Problem('thing-invalid', `options.pin is ${pin}, and a property tells cloudburst; rain at a pin cannot be switched on`);
    }
    // whoever only tries a thing out takes no pin away from the one that counts
    const tips = pin === undefined ? pretended(bucket, environment) : thing.trial ? nothing : contact(pin, bucket, environment);
    return {
      polled: new Set(measures.keys()),
      async read(keys) {
        return new Map(keys.map((key): [string, Value | Error] => [key, tips.fault() ?? tell(measures.get(key), bucket, tips)]));
      },
      async write(key, value) {
        if (measures.get(key) !== 'cloudburst') throw new Problem('command-rejected', `${key} is measured; it cannot be set`);
        tips.burst(value === true);
        return value === true;
      },
      async close() {
        await tips.stop();
      },
    };
  },
});

function tell(measure: Measure | undefined, bucket: Bucket, { isBursting }: Tips): Value {
  switch (measure) {
    case 'intensity':
      return bucket.mmPerHour;
    case 'last-hour':
      return bucket.mmOfLastHour;
    case 'cloudburst':
      return isBursting();
    default:
      return bucket.tips;
  }
}

/** Counts tips. The intensity is that between the last two tips, and falls when the next one is late. */
export class Bucket {
  tips = 0;
  readonly #mmPerTip: number;
  readonly #clock: Clock;
  /** Of the last hour, oldest first, ms of the clock that only goes forward. */
  #timesMs: number[] = [];

  constructor(mmPerTip: number, clock: Clock) {
    this.#mmPerTip = mmPerTip;
    this.#clock = clock;
  }

  tip(): void {
    this.tips++;
    this.#timesMs.push(this.#clock.monotonic());
  }

  get mmOfLastHour(): number {
    return rounded(this.#ofLastHour().length * this.#mmPerTip);
  }

  get mmPerHour(): number {
    const [before, last] = this.#ofLastHour().slice(-2);
    if (before === undefined || last === undefined) return 0;
    const gapMs = Math.max(last - before, this.#clock.monotonic() - last, 1);
    return rounded((this.#mmPerTip * HOUR_MS) / gapMs);
  }

  #ofLastHour(): number[] {
    const sinceMs = this.#clock.monotonic() - HOUR_MS;
    this.#timesMs = this.#timesMs.filter((timeMs) => timeMs > sinceMs);
    return this.#timesMs;
  }
}

const rounded = (value: number) => Math.round(value * 100) / 100;

/** Where tips come from. */
interface Tips {
  /** Why it cannot count now. */
  fault(): Error | undefined;
  isBursting(): boolean;
  burst(on: boolean): void;
  stop(): Promise<void>;
}

const nothing: Tips = { fault: () => undefined, isBursting: () => false, burst: () => {}, stop: async () => {} };

/** A bucket that tips for as long as a cloudburst is switched on. */
function pretended(bucket: Bucket, { clock }: DriverEnvironment): Tips {
  let stop: (() => void) | undefined;
  const burst = (on: boolean) => {
    if (on === (stop !== undefined)) return;
    stop?.();
    stop = on ? clock.every(PRETENDED_TIP_MS, () => bucket.tip()) : undefined;
    if (on) bucket.tip();
  };
  return { ...nothing, isBursting: () => stop !== undefined, burst, stop: async () => burst(false) };
}

/** gpiomon (libgpiod 2) says a line each time that the contact closes to ground. One that ends is started again. */
function contact(pin: string, bucket: Bucket, { clock, processes, log }: DriverEnvironment): Tips {
  let child: ChildProcessPort | undefined;
  let cancelRetry = () => {};
  let fault: Error | undefined;
  let isOver = false;
  const watch = () => {
    const started = processes.spawn('gpiomon', [
      '--banner',
      '--by-name',
      '-C',
      'ledge',
      '-b',
      'pull-up',
      '-e',
      'falling',
      '-p',
      DEBOUNCE,
      '-F',
      'tip',
      pin,
    ]);
    child = started;
    started.onLine((line) => {
      fault = undefined;
      if (line === 'tip') bucket.tip();
    });
    void started.ended.then(({ stderr, error }) => {
      if (isOver) return;
      const why = error?.message ?? (stderr.trim() || 'gpiomon ended');
      if (fault === undefined) log.warn({ pin, why }, 'the contact is not watched');
      fault = new Problem('sensor-failed', `${pin} cannot be watched: ${why}`);
      cancelRetry = clock.after(RETRY_MS, watch);
    });
  };
  watch();
  return {
    ...nothing,
    fault: () => fault,
    async stop() {
      isOver = true;
      cancelRetry();
      child?.kill();
      await child?.ended;
    },
  };
}
