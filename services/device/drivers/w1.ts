import { Problem, shown, type Value } from '@ledge/contract';
import { type DriverEnvironment, defineSensor, suggestion } from '@ledge/sdk';
import { z } from 'zod';
import { list, readOptional, readText, toNumber } from './sysfs.ts';

const DEVICES = 'sys/bus/w1/devices';
/** Families that the kernel's w1_therm drives: DS18S20, DS1822, DS18B20, DS1825/MAX31850, DS28EA00. */
const THERMOMETER = /^(?:10|22|28|3b|42)-[0-9a-f]{12}$/;
const id = z
  .string()
  .regex(THERMOMETER, 'an id such as 28-0316a2795bff is wanted; it is the name of a folder in /sys/bus/w1/devices')
  .optional()
  .meta({ description: 'which sensor; default: the first one on the bus' });

/**
 * What a DS18B20 says when it has not measured since power-on (85.00 °C), or had too little power to (127.94 °C);
 * the scratchpad's sixth byte is then still 0x0c (Documentation/ABI/testing/sysfs-driver-w1_therm, `features`).
 */
const SUSPICIOUS_MILLIDEGREES = new Set([85_000, 127_937]);
const RESET_BYTE = '0c';

interface Scratchpad {
  bytes: string[];
  millidegrees: number;
}

/** Reads the two lines of `w1_slave`: nine bytes with `crc=xx YES`, and again with `t=<millidegrees>`. */
function parseSlave(text: string, path: string): Scratchpad {
  if (/crc=[0-9a-f]{2} NO/.test(text))
    throw new Problem('sensor-failed', `${path}: the checksum is wrong; look at the wire and its resistor`);
  const temperature = /t=(-?\d+)/.exec(text)?.[1];
  if (!/crc=[0-9a-f]{2} YES/.test(text) || temperature === undefined) {
    throw new Problem('sensor-failed', `${path} says ${shown(text)}; a temperature is wanted`);
  }
  return { bytes: text.split(/\s+/).slice(0, 9), millidegrees: Number(temperature) };
}

const sensors = async (root: string) => ((await list(root, DEVICES)) ?? []).filter((name) => THERMOMETER.test(name));

async function sensor(root: string, wanted: string | undefined): Promise<string> {
  const present = await sensors(root);
  const found = wanted === undefined ? present[0] : present.find((name) => name === wanted);
  if (found) return `${DEVICES}/${found}`;
  const there = present.length > 0 ? `there are ${present.join(', ')}` : 'there are none';
  throw new Problem('sensor-failed', `No 1-Wire thermometer ${wanted ?? ''} is on the bus; ${there}`.replace('  ', ' '));
}

/** Degrees Celsius of one sensor. The read makes it measure and takes up to 0.75 s. */
async function readDegrees(root: string, wanted: string | undefined, signal: AbortSignal): Promise<Value> {
  const folder = await sensor(root, wanted);
  const text = await readOptional(root, `${folder}/temperature`, signal);
  const direct = text === undefined || text === '' ? undefined : toNumber(text, `${folder}/temperature`);
  if (direct !== undefined && !SUSPICIOUS_MILLIDEGREES.has(direct)) return direct / 1000;

  // an older kernel, no value yet, or one that only the bytes can tell from a true one
  const { bytes, millidegrees } = parseSlave(await readText(root, `${folder}/w1_slave`, signal), `${folder}/w1_slave`);
  if (SUSPICIOUS_MILLIDEGREES.has(millidegrees) && bytes[6] === RESET_BYTE) {
    throw new Problem(
      'sensor-failed',
      `${folder} says ${millidegrees / 1000} °C, its value before it has measured; look at its power supply`,
    );
  }
  return millidegrees / 1000;
}

async function unavailable({ root }: DriverEnvironment): Promise<string | undefined> {
  if (await list(root, DEVICES)) return undefined;
  return `This machine has no 1-Wire bus: /${DEVICES} is missing. On Raspberry Pi OS, dtoverlay=w1-gpio in config.txt brings it`;
}

/** 1-Wire thermometers (DS18B20 and its family) by the kernel's w1_therm. */
export const w1 = defineSensor({
  name: 'w1',
  summary: 'thermometers on the 1-Wire bus: DS18B20 and its family',
  example: `name: Boiler
driver: w1
sample: { every: 10s }
properties:
  temperature:
    datatype: float
    unit: °C
    source: { id: 28-0316a2795bff }
`,
  template: `name: Thermometer
driver: w1
sample: { every: 30s }        # a measurement takes about a second
properties:
  temperature:
    datatype: float
    unit: °C
    # source: { id: 28-… }    # which one, when there are several
`,
  found: async ({ root }) =>
    (await sensors(root)).map((id) =>
      suggestion(`Thermometer ${id}`, {
        name: 'Thermometer',
        driver: 'w1',
        sample: { every: '30s' },
        properties: { temperature: { datatype: 'float', unit: '°C', source: { id } } },
      }),
    ),
  options: z.strictObject({ id }),
  source: z.strictObject({ id }),
  unavailable,
  read: ({ source }, { options, environment, signal }) => readDegrees(environment.root, source.id ?? options.id, signal),
});
