import { Problem, type Value } from '@ledge/contract';
import { type DriverEnvironment, defineSensor, type Suggestion, suggestion } from '@ledge/sdk';
import { z } from 'zod';
import { asId, list, readNumber, readOptional, toNumber } from './sysfs.ts';

const DEVICES = 'sys/bus/iio/devices';
const DEVICE = /^iio:device\d+$/;

/**
 * From the kernel's units to people's (Documentation/ABI/testing/sysfs-bus-iio): °C, hPa, %, V, A, W.
 * All others are in people's units already: lux, m/s², rad/s, gauss, ohm, metres …
 */
const FACTOR_OF_TYPE: Record<string, number> = {
  temp: 1 / 1000,
  pressure: 10,
  humidityrelative: 1 / 1000,
  voltage: 1 / 1000,
  altvoltage: 1 / 1000,
  current: 1 / 1000,
  power: 1 / 1000,
};

const UNIT_OF_TYPE: Record<string, string> = {
  temp: '°C',
  pressure: 'hPa',
  humidityrelative: '%',
  voltage: 'V',
  altvoltage: 'V',
  current: 'A',
  power: 'W',
  illuminance: 'lx',
  accel: 'm/s²',
};
/** Ids of properties that are clearer than the kernel's words. */
const ID_OF_CHANNEL: Record<string, string> = { temp: 'temperature', humidityrelative: 'humidity' };

const CHANNEL = /^[a-z]+\d*(?:-[a-z]+\d+)?(?:_[a-z0-9_]+)?$/;
const sourceSchema = z.strictObject({
  channel: z
    .string()
    .max(60)
    .regex(CHANNEL, 'a channel such as temp, voltage0 or accel_x is wanted: the middle of in_<channel>_raw or in_<channel>_input')
    .meta({ description: 'the middle of the file name in_<channel>_raw or in_<channel>_input, such as temp, voltage0, accel_x' }),
});
const optionsSchema = z.strictObject({
  device: z
    .union([z.string().min(1).max(100), z.int().nonnegative()])
    .optional()
    .meta({ description: 'name or label of the device, such as bme280, or its number; default: the first with the channel' }),
});

/** Floating point leaves dust such as 20.830000000000002; twelve digits are far beyond any sensor. */
const tidy = (value: number) => Number(value.toPrecision(12));

async function matches(root: string, folder: string, device: string | number): Promise<boolean> {
  if (typeof device === 'number') return folder === `iio:device${device}`;
  if (folder === device) return true;
  const path = `${DEVICES}/${folder}`;
  return (await readOptional(root, `${path}/name`)) === device || (await readOptional(root, `${path}/label`)) === device;
}

const foldersOf = async (root: string) => ((await list(root, DEVICES)) ?? []).filter((name) => DEVICE.test(name));

async function folderOf(root: string, device: string | number | undefined, channel: string): Promise<string> {
  const folders = await foldersOf(root);
  for (const folder of folders) {
    const path = `${DEVICES}/${folder}`;
    if (device !== undefined && !(await matches(root, folder, device))) continue;
    const files = (await list(root, path)) ?? [];
    if (files.includes(`in_${channel}_input`) || files.includes(`in_${channel}_raw`)) return path;
    if (device !== undefined)
      throw new Problem('sensor-failed', `${path} has no channel ${channel}; it has ${channelsOf(files).join(', ') || 'none'}`);
  }
  const names = await Promise.all(folders.map((folder) => readOptional(root, `${DEVICES}/${folder}/name`)));
  const there = names.length > 0 ? `there are ${names.join(', ')}` : 'there are none';
  throw new Problem('sensor-failed', `No IIO device ${device ?? `with channel ${channel}`} is there; ${there}`);
}

const channelsOf = (files: readonly string[]) => [...new Set(files.flatMap((file) => /^in_(.+)_(?:raw|input)$/.exec(file)?.[1] ?? []))];

/** Every device with all its channels. */
async function found({ root }: DriverEnvironment): Promise<Suggestion[]> {
  const folders = await foldersOf(root);
  const devices = await Promise.all(
    folders.map(async (folder) => ({
      folder,
      name: (await readOptional(root, `${DEVICES}/${folder}/name`)) ?? folder,
      channels: channelsOf((await list(root, `${DEVICES}/${folder}`)) ?? []).filter((channel) => CHANNEL.test(channel)),
    })),
  );
  return devices
    .filter(({ channels }) => channels.length > 0)
    .map(({ folder, name, channels }) => {
      const isOnly = devices.filter((other) => other.name === name).length === 1;
      const properties = channels.map((channel) => {
        const unit = UNIT_OF_TYPE[typeOf(channel)];
        return [ID_OF_CHANNEL[channel] ?? asId(channel), { datatype: 'float', ...(unit ? { unit } : {}), source: { channel } }];
      });
      return suggestion(`${name}: ${channels.join(', ')}`, {
        name,
        driver: 'iio',
        options: { device: isOnly ? name : folder },
        sample: { every: '10s' },
        properties: Object.fromEntries(properties),
      });
    });
}

/** One attribute of a channel: its own, or the one shared by all channels of its type. */
async function attribute(root: string, folder: string, channel: string, name: 'scale' | 'offset', signal: AbortSignal) {
  const type = typeOf(channel);
  const modifier = /^[a-z]+\d+(_.+)$/.exec(channel)?.[1];
  // voltage-voltage: the differential channels of a converter
  const shared = [channel.includes('-') ? `${type}-${type}` : type, ...(modifier ? [`${type}${modifier}`] : [])];
  for (const owner of [channel, ...shared]) {
    const path = `${folder}/in_${owner}_${name}`;
    const text = await readOptional(root, path, signal);
    if (text !== undefined) return toNumber(text, path);
  }
  return undefined;
}

const typeOf = (channel: string) => /^[a-z]+/.exec(channel)?.[0] ?? channel;

async function readChannel(root: string, folder: string, channel: string, signal: AbortSignal): Promise<Value> {
  const factor = FACTOR_OF_TYPE[typeOf(channel)] ?? 1;
  const input = await readOptional(root, `${folder}/in_${channel}_input`, signal);
  if (input !== undefined) return tidy(toNumber(input, `${folder}/in_${channel}_input`) * factor);
  const raw = await readNumber(root, `${folder}/in_${channel}_raw`, signal);
  const offset = (await attribute(root, folder, channel, 'offset', signal)) ?? 0;
  const scale = (await attribute(root, folder, channel, 'scale', signal)) ?? 1;
  return tidy((raw + offset) * scale * factor);
}

async function unavailable({ root }: DriverEnvironment): Promise<string | undefined> {
  if (await list(root, DEVICES)) return undefined;
  return `This machine has no industrial I/O devices: /${DEVICES} is missing. A module for the sensor brings it, or an overlay; on Raspberry Pi OS dtoverlay=i2c-sensor,bme280 in config.txt`;
}

/** Sensors and converters of Linux's industrial I/O tree, by their channels. */
export const iio = defineSensor({
  name: 'iio',
  summary: 'sensors that Linux drives itself (industrial I/O): climate, light, motion, analogue inputs',
  example: `name: Weather
driver: iio
options: { device: bme280 }
sample: { every: 10s }
properties:
  temperature: { datatype: float, unit: °C, source: { channel: temp } }
  humidity: { datatype: float, unit: '%', source: { channel: humidityrelative } }
  pressure: { datatype: float, unit: hPa, source: { channel: pressure } }
`,
  template: `name: Climate
driver: iio
options: { device: bme280 }     # as in /sys/bus/iio/devices/*/name
sample: { every: 10s }
properties:
  # the channel is the middle of the file name in_<channel>_input or in_<channel>_raw
  temperature: { datatype: float, unit: °C, source: { channel: temp } }
`,
  found,
  options: optionsSchema,
  source: sourceSchema,
  unavailable,
  async read({ source: { channel } }, { options, environment: { root }, signal }) {
    return await readChannel(root, await folderOf(root, options.device, channel), channel, signal);
  },
});
