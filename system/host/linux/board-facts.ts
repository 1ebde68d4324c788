import type { MachineFacts } from '../machine.ts';
import { type FactSource, number, word } from './fact-source.ts';

const THERMAL = '/sys/class/thermal';
const HWMON = '/sys/class/hwmon';
const WATCHDOG = '/sys/class/watchdog/watchdog0';
/** Only Raspberry Pi's own kernel has it. */
const THROTTLED = '/sys/devices/platform/soc/soc:firmware/get_throttled';
/** The kernel counts so, whatever the device's own blocks are (Documentation/block/stat.rst). */
const SECTOR_BYTES = 512;
const NO_MODEL = /^(?:to be filled|system product name|default string|none$)/i;

/** The board: what it is, how warm, whether it is slowed down, its card and its watchdog. */
export async function boardFacts(device: number | undefined, source: FactSource): Promise<Partial<MachineFacts>> {
  const [tree, product, temperatureC, throttled, card, watchdog] = await Promise.all([
    word(source, '/sys/firmware/devicetree/base/model'),
    word(source, '/sys/class/dmi/id/product_name'),
    temperatureOf(source),
    throttledOf(source),
    cardOf(device, source),
    watchdogOf(source),
  ]);
  const model = tree ?? (product && !NO_MODEL.test(product) ? product : undefined);
  return {
    ...(model ? { model } : {}),
    ...(temperatureC === undefined ? {} : { temperatureC }),
    ...(throttled ? { throttled } : {}),
    ...(card ? { card } : {}),
    ...(watchdog ? { watchdog } : {}),
  };
}

/** Of the processor where a zone says so, else of the first zone that tells. */
async function temperatureOf(source: FactSource): Promise<number | undefined> {
  const zones = (await source.list(THERMAL)).filter((name) => name.startsWith('thermal_zone')).sort();
  const told = await Promise.all(
    zones.map(async (zone) => ({
      type: (await word(source, `${THERMAL}/${zone}/type`)) ?? '',
      milli: await number(source, `${THERMAL}/${zone}/temp`),
    })),
  );
  const measured = told.filter(({ milli }) => milli !== undefined);
  const { milli } = measured.find(({ type }) => /cpu|pkg|soc/i.test(type)) ?? measured[0] ?? {};
  return milli === undefined ? undefined : Math.round(milli / 100) / 10;
}

async function throttledOf(source: FactSource): Promise<MachineFacts['throttled']> {
  const flags = Number.parseInt((await word(source, THROTTLED)) ?? '', 16);
  if (!Number.isNaN(flags)) return { now: brakes(flags), before: brakes(flags >> 16) };
  for (const sensor of await source.list(HWMON)) {
    if ((await word(source, `${HWMON}/${sensor}/name`)) !== 'rpi_volt') continue;
    const alarm = await number(source, `${HWMON}/${sensor}/in0_lcrit_alarm`);
    // mainline's driver asks the firmware every 2 s and forgets what was before
    return alarm === undefined ? undefined : { now: { underVoltage: alarm === 1 } };
  }
  return undefined;
}

/** Bits of the firmware's GET_THROTTLED; 16 bits higher stands what has been since the start. */
const brakes = (flags: number) => ({
  underVoltage: (flags & 1) !== 0,
  frequencyCapped: (flags & 2) !== 0,
  throttled: (flags & 4) !== 0,
  softTemperatureLimit: (flags & 8) !== 0,
});

async function cardOf(device: number | undefined, source: FactSource): Promise<MachineFacts['card']> {
  if (device === undefined) return undefined;
  // makedev(3)
  const major = Math.floor(device / 2 ** 8) & 0xfff;
  const minor = (device & 0xff) | (Math.floor(device / 2 ** 12) & 0xfff00);
  const found = await source.real(`/sys/dev/block/${major}:${minor}`);
  if (found === undefined) return undefined;
  const whole = (await source.read(`${found}/partition`)) === undefined ? found : found.replace(/\/[^/]+$/, '');
  const [stat, label, model, life] = await Promise.all([
    word(source, `${whole}/stat`),
    word(source, `${whole}/device/name`),
    word(source, `${whole}/device/model`),
    word(source, `${whole}/device/life_time`),
  ]);
  const sectors = Number(stat?.split(/\s+/)[6] ?? Number.NaN);
  if (Number.isNaN(sectors)) return undefined;
  const name = label ?? model;
  const lifeTime = lifeTimeOf(life);
  return {
    ...(name ? { name } : {}),
    writtenBytesSinceStart: sectors * SECTOR_BYTES,
    ...(lifeTime === undefined ? {} : { lifeTime }),
  };
}

/** `0x02 0x01`: of two kinds of cells, in tenths that have begun; 0 says nothing (JEDEC eMMC 5.1, 7.4.22). The worse one counts. */
function lifeTimeOf(text: string | undefined): number | undefined {
  const tenths = (text ?? '').split(/\s+/).map((part) => Number.parseInt(part, 16));
  const worst = Math.max(0, ...tenths.filter((tenth) => !Number.isNaN(tenth)));
  return worst === 0 ? undefined : Math.min(worst, 10) / 10;
}

async function watchdogOf(source: FactSource): Promise<MachineFacts['watchdog']> {
  const [hardware, timeoutS] = await Promise.all([word(source, `${WATCHDOG}/identity`), number(source, `${WATCHDOG}/timeout`)]);
  if (hardware === undefined && timeoutS === undefined) return undefined;
  return { ...(hardware ? { hardware } : {}), ...(timeoutS === undefined ? {} : { timeoutS }) };
}
