import { Problem, shown, type Value } from '@ledge/contract';
import { type DriverEnvironment, defineSensor, type Suggestion, suggestion } from '@ledge/sdk';
import { z } from 'zod';
import { asId, list, readNumber, readOptional } from './sysfs.ts';

const CHIPS = 'sys/class/hwmon';
const CHIP = /^hwmon\d+$/;

/**
 * Divisors from the kernel's units (Documentation/hwmon/sysfs-interface.rst) to people's:
 * millidegrees to °C, millivolts to V, milliamperes to A, microwatts to W, microjoules to J, milli-percent to %; fans are in rpm.
 */
const DIVISOR_OF_TYPE: Record<string, number> = { temp: 1000, in: 1000, curr: 1000, power: 1e6, energy: 1e6, humidity: 1000, fan: 1 };
const UNIT_OF_TYPE: Record<string, string> = { temp: '°C', in: 'V', curr: 'A', power: 'W', energy: 'J', humidity: '%', fan: 'rpm' };
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

async function chipsOf(root: string) {
  const folders = ((await list(root, CHIPS)) ?? []).filter((name) => CHIP.test(name)).map((name) => `${CHIPS}/${name}`);
  return await Promise.all(folders.map(async (folder) => ({ folder, name: await readOptional(root, `${folder}/name`) })));
}

async function chipFolder(root: string, { chip, index }: Options): Promise<string> {
  const named = await chipsOf(root);
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

/** Every chip that has a name, with all its sensors. */
async function found({ root }: DriverEnvironment): Promise<Suggestion[]> {
  const suggestions: Suggestion[] = [];
  const countOf = new Map<string, number>();
  for (const { folder, name } of await chipsOf(root)) {
    if (name === undefined) continue;
    const index = countOf.get(name) ?? 0;
    countOf.set(name, index + 1);
    const sensors = ((await list(root, folder)) ?? []).map((file) => /^(.+)_input$/.exec(file)?.[1] ?? '').filter((s) => SENSOR.test(s));
    if (sensors.length === 0) continue;
    const properties = sensors.map(async (sensor) => {
      const label = await readOptional(root, `${folder}/${sensor}_label`);
      const unit = UNIT_OF_TYPE[sensor.replace(/\d+$/, '')];
      return [asId(sensor), { ...(label ? { name: label } : {}), datatype: 'float', unit, source: { sensor } }] as const;
    });
    suggestions.push(
      suggestion(`${name}: ${sensors.join(', ')}`, {
        name,
        driver: 'hwmon',
        options: { chip: name, ...(index === 0 ? {} : { index }) },
        sample: { every: '10s' },
        properties: Object.fromEntries(await Promise.all(properties)),
      }),
    );
  }
  return suggestions;
}

async function unavailable({ root }: DriverEnvironment): Promise<string | undefined> {
  if (await list(root, CHIPS)) return undefined;
  return `This machine has no hardware monitors: /${CHIPS} is missing. Linux makes it when a driver for a monitor chip is loaded`;
}

/** Hardware monitor chips of Linux: temperatures, voltages, fans, currents, power. */
export const hwmon = defineSensor({
  name: 'hwmon',
  summary: 'hardware monitors that Linux drives itself: temperature, voltage, fan, current, power',
  example: `name: Processor
driver: hwmon
options: { chip: cpu_thermal }
sample: { every: 5s }
properties:
  temperature: { datatype: float, unit: °C, source: { sensor: temp1 } }
`,
  template: `name: Processor
driver: hwmon
options: { chip: cpu_thermal }    # as in /sys/class/hwmon/*/name
sample: { every: 10s }
properties:
  # temp1, in0, fan1, curr1, power1, humidity1: the beginning of the file name <sensor>_input
  temperature: { datatype: float, unit: °C, source: { sensor: temp1 } }
`,
  found,
  options: optionsSchema,
  source: sourceSchema,
  unavailable,
  read: ({ source }, { options, environment, signal }) => readSensor(environment.root, options, source, signal),
});
