import { Problem, shown, type Value } from '@ledge/contract';
import { z } from 'zod';
import { type DriverEnvironment, defineDriver } from '../driver.ts';
import { polledThing } from './polled.ts';
import { list, readNumber, readOptional } from './sysfs.ts';

const CHIPS = 'sys/class/hwmon';
const CHIP = /^hwmon\d+$/;

/**
 * Divisors from the kernel's units (Documentation/hwmon/sysfs-interface.rst) to people's:
 * millidegrees to °C, millivolts to V, milliamperes to A, microwatts to W, microjoules to J, milli-percent to %; fans are in rpm.
 */
const DIVISOR_OF_TYPE: Record<string, number> = { temp: 1000, in: 1000, curr: 1000, power: 1e6, energy: 1e6, humidity: 1000, fan: 1 };
const SENSOR = /^(temp|in|curr|power|energy|humidity|fan)\d+$/;

const sourceSchema = z
  .strictObject({
    sensor: z
      .string()
      .regex(SENSOR, 'a sensor such as temp1, in0, fan1, power1, curr1 or humidity1 is wanted')
      .optional()
      .meta({ description: 'such as temp1, in0, fan1, power1, curr1, energy1, humidity1' }),
    label: z.string().max(100).optional().meta({ description: "the sensor by the kernel's label instead, such as Package id 0" }),
    attribute: z
      .enum(['input', 'average', 'lowest', 'highest', 'min', 'max', 'crit'])
      .default('input')
      .meta({ description: 'which of its values' }),
  })
  .refine((source) => (source.sensor === undefined) !== (source.label === undefined), 'either sensor or label is wanted');
const optionsSchema = z.strictObject({
  chip: z.string().min(1).max(100).optional().meta({ description: 'name of the chip, such as cpu_thermal or k10temp; default: the first' }),
  index: z.int().nonnegative().default(0).meta({ description: 'which of several chips with this name, counted from 0' }),
});
type Options = z.output<typeof optionsSchema>;
type Source = z.output<typeof sourceSchema>;

async function chipFolder(root: string, { chip, index }: Options): Promise<string> {
  const folders = ((await list(root, CHIPS)) ?? []).filter((name) => CHIP.test(name)).map((name) => `${CHIPS}/${name}`);
  const named = await Promise.all(folders.map(async (folder) => ({ folder, name: await readOptional(root, `${folder}/name`) })));
  const found = named.filter(({ name }) => chip === undefined || name === chip)[index];
  if (found) return found.folder;
  const names = named.map(({ name }) => name).join(', ') || 'none';
  throw new Problem(
    'sensor-failed',
    `No hardware monitor ${chip ?? ''} with index ${index} is there; there are: ${names}`.replace('  ', ' '),
  );
}

async function sensorOf(root: string, folder: string, { sensor, label }: Source): Promise<string> {
  if (sensor !== undefined) return sensor;
  const labels: string[] = [];
  for (const file of (await list(root, folder)) ?? []) {
    const name = /^(.+)_label$/.exec(file)?.[1];
    if (name === undefined || !SENSOR.test(name)) continue;
    const text = await readOptional(root, `${folder}/${file}`);
    if (text === label) return name;
    labels.push(String(text));
  }
  throw new Problem('sensor-failed', `${folder} has no sensor labelled ${shown(label)}; it has: ${labels.join(', ') || 'no labels'}`);
}

async function readSensor(root: string, options: Options, source: Source, signal: AbortSignal): Promise<Value> {
  const folder = await chipFolder(root, options);
  const sensor = await sensorOf(root, folder, source);
  if ((await readOptional(root, `${folder}/${sensor}_fault`, signal)) === '1') {
    throw new Problem('sensor-failed', `${folder}/${sensor} reports a fault: its sensor or fan may be unplugged`);
  }
  const raw = await readNumber(root, `${folder}/${sensor}_${source.attribute}`, signal);
  return raw / (DIVISOR_OF_TYPE[sensor.replace(/\d+$/, '')] ?? 1);
}

async function unavailable({ root }: DriverEnvironment): Promise<string | undefined> {
  if (await list(root, CHIPS)) return undefined;
  return `This machine has no hardware monitors: /${CHIPS} is missing. Linux makes it when a driver for a monitor chip is loaded`;
}

/** Hardware monitor chips of Linux: temperatures, voltages, fans, currents, power. */
export const hwmon = defineDriver({
  name: 'hwmon',
  summary: 'hardware monitors that Linux drives itself: temperature, voltage, fan, current, power',
  example: `name: Processor
driver: hwmon
options: { chip: cpu_thermal }
sample: { every: 5s }
properties:
  temperature: { datatype: float, unit: °C, source: { sensor: temp1 } }
`,
  options: optionsSchema,
  source: sourceSchema,
  unavailable,
  async open({ options, properties }, _sink, environment) {
    const why = await unavailable(environment);
    if (why) throw new Problem('driver-unavailable', why);
    return polledThing(properties, ({ source }, signal) => readSensor(environment.root, options, source, signal));
  },
});
