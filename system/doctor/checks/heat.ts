import { type Check, fault, ok, skipped, warning } from '../check.ts';
import type { Files } from '../ports.ts';
import { plural } from '../words.ts';
import { journalIfSeen } from './journal.ts';

const THERMAL = '/sys/class/thermal';
/** Where the sensor does not say what it stands. */
const USUAL_LIMIT_C = 90;

const celsius = (text: string | undefined) => (text === undefined || text.trim() === '' ? Number.NaN : Number(text) / 1000);

/** The lowest temperature at which the zone switches off or worse. */
async function limitOf(files: Files, zone: string): Promise<number> {
  const limits: number[] = [];
  for (const file of (await files.list(`${THERMAL}/${zone}`)).filter((name) => /^trip_point_\d+_type$/.test(name))) {
    const type = (await files.read(`${THERMAL}/${zone}/${file}`))?.trim();
    const limit = celsius(await files.read(`${THERMAL}/${zone}/${file.replace(/type$/, 'temp')}`));
    if ((type === 'critical' || type === 'hot') && limit > 40) limits.push(limit);
  }
  return limits.length > 0 ? Math.min(...limits) : USUAL_LIMIT_C;
}

/** Is a processor slowed down because of heat? */
async function isSlowed(files: Files): Promise<boolean> {
  for (const device of (await files.list(THERMAL)).filter((name) => name.startsWith('cooling_device'))) {
    const type = (await files.read(`${THERMAL}/${device}/type`)) ?? '';
    if (type.includes('cpufreq') && Number(await files.read(`${THERMAL}/${device}/cur_state`)) > 0) return true;
  }
  return false;
}

export const temperature: Check = {
  name: 'temperature',
  title: 'Temperature',
  async look({ ports: { files } }) {
    let hottest: { temperature: number; limit: number } | undefined;
    for (const zone of (await files.list(THERMAL)).filter((name) => name.startsWith('thermal_zone'))) {
      const degrees = celsius(await files.read(`${THERMAL}/${zone}/temp`));
      if (Number.isNaN(degrees)) continue;
      const limit = await limitOf(files, zone);
      if (!hottest || limit - degrees < hottest.limit - hottest.temperature) hottest = { temperature: degrees, limit };
    }
    if (!hottest) return skipped('this machine has no temperature sensor');
    const slowed = await isSlowed(files);
    const seen = `${hottest.temperature.toFixed(0)} °C${slowed ? ', and the processor is slowed down' : ''}`;
    const hint = 'give it air, or a heat sink';
    if (hottest.temperature >= hottest.limit - 2) return fault(seen, `below ${hottest.limit - 10} °C`, hint);
    if (slowed || hottest.temperature >= hottest.limit - 10) return warning(seen, `below ${hottest.limit - 10} °C, at full speed`, hint);
    return ok(seen);
  },
};

export const supplyVoltage: Check = {
  name: 'supply-voltage',
  title: 'Supply voltage',
  imageOnly: true,
  async look(facts) {
    const { files } = facts.ports;
    const hint = 'use the power supply that was made for the board, and a short cable';
    for (const sensor of await files.list('/sys/class/hwmon')) {
      const at = `/sys/class/hwmon/${sensor}`;
      if ((await files.read(`${at}/name`))?.trim() !== 'rpi_volt') continue;
      if ((await files.read(`${at}/in0_lcrit_alarm`))?.trim() === '1') return fault('too low at this moment', 'above 4.63 V', hint);
      const times = (await journalIfSeen(facts, 'Under-?voltage detected', ['_TRANSPORT=kernel']))?.length;
      if (times === undefined) return ok('good at this moment; the journal of before may not be read');
      return times > 0
        ? warning(`was too low, ${plural(times, 'time')} since the start`, 'always above 4.63 V', hint)
        : ok('good since the start');
    }
    return skipped('this machine has no sensor for it');
  },
};
