import { readdir, readFile, statfs } from 'node:fs/promises';
import { cpus, freemem, loadavg, totalmem, uptime } from 'node:os';
import { join } from 'node:path';
import { Problem, type Value } from '@ledge/contract';
import { defineDriver, type OpenThing } from '@ledge/sdk';
import { z } from 'zod';
import { toNumber } from './sysfs.ts';

const MIB = 1024 * 1024;
const THERMAL = 'sys/class/thermal';
/** Zones that are the processor, by the names that the kernel's drivers give them. */
const CPU_ZONE = /cpu|soc|x86_pkg|k10temp|coretemp/i;

const METRICS = ['cpu-temperature', 'load', 'cpu', 'memory', 'memory-used', 'disk', 'uptime'] as const;

interface CpuTimes {
  idle: number;
  total: number;
}

function cpuTimes(): CpuTimes {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, total };
}

const rounded = (value: number, digits: number) => Number(value.toFixed(digits));

/** Directory of the processor's thermal zone below the kernel's tree, or undefined where there is none. */
export async function cpuThermalZone(root: string): Promise<string | undefined> {
  const zones = (await readdir(join(root, THERMAL)).catch(() => [])).filter((name) => name.startsWith('thermal_zone')).sort();
  const named = await Promise.all(
    zones.map(async (zone) => ({ zone, type: await readFile(join(root, THERMAL, zone, 'type'), 'utf8').catch(() => '') })),
  );
  const best = named.find(({ type }) => CPU_ZONE.test(type)) ?? named[0];
  return best && join(root, THERMAL, best.zone);
}

/** The machine itself: what its operating system tells about processor, memory and disk, on Linux, Windows and Mac. */
export const system = defineDriver({
  name: 'system',
  summary: 'This machine: CPU temperature, load, memory, disk, uptime',
  example: `name: This machine
driver: system
sample: { every: 10s }
properties:
  cpu: { name: Processor, datatype: float, unit: '%', source: { metric: cpu } }
  memory: { name: Memory used, datatype: float, unit: '%', source: { metric: memory } }
  disk: { name: Disk used, datatype: float, unit: '%', source: { metric: disk, path: / } }
`,
  template: `name: This machine
driver: system
sample: { every: 30s }
properties:
  # also cpu-temperature, load, memory-used and uptime
  cpu: { name: Processor, datatype: float, unit: '%', source: { metric: cpu } }
  memory: { name: Memory used, datatype: float, unit: '%', source: { metric: memory } }
  disk: { name: Disk used, datatype: float, unit: '%', source: { metric: disk, path: / } }
`,
  options: z.strictObject({}),
  source: z.strictObject({
    metric: z.enum(METRICS),
    path: z.string().min(1).optional().meta({ description: 'for disk: a path on the file system that is meant; default /' }),
  }),

  async unavailable() {
    return undefined;
  },

  async open(thing, _sink, environment): Promise<OpenThing> {
    const properties = new Map(thing.properties.map((property) => [property.key, property.source]));
    const zone = await cpuThermalZone(environment.root);
    let lastTimes: CpuTimes = { idle: 0, total: 0 }; // so the first reading is the mean since the machine started
    let lastCpu = 0;

    /** Share of the time since the last reading in which the processors worked. */
    function cpuPercent(): number {
      const times = cpuTimes();
      const total = times.total - lastTimes.total;
      if (total <= 0) return lastCpu;
      lastCpu = rounded((100 * (total - (times.idle - lastTimes.idle))) / total, 1);
      lastTimes = times;
      return lastCpu;
    }

    async function diskPercent(path: string): Promise<number> {
      const { blocks, bfree, bavail } = await statfs(path);
      const used = blocks - bfree;
      return rounded((100 * used) / (used + bavail), 1);
    }

    async function temperature(): Promise<number> {
      if (!zone) throw new Problem('sensor-failed', 'this machine tells no temperature');
      return rounded(toNumber((await readFile(join(zone, 'temp'), 'utf8')).trim(), `${zone}/temp`) / 1000, 1);
    }

    async function measure(metric: (typeof METRICS)[number], path = '/'): Promise<Value> {
      switch (metric) {
        case 'cpu-temperature':
          return await temperature();
        case 'load':
          return rounded(loadavg()[0] ?? 0, 2);
        case 'cpu':
          return cpuPercent();
        case 'memory':
          return rounded(100 * (1 - freemem() / totalmem()), 1);
        case 'memory-used':
          return Math.round((totalmem() - freemem()) / MIB);
        case 'disk':
          return await diskPercent(path);
        case 'uptime':
          return Math.round(uptime());
      }
    }

    return {
      polled: new Set(properties.keys()),
      async read(keys) {
        const answers = keys.map(async (key): Promise<[string, Value | Error]> => {
          const source = properties.get(key);
          if (!source) return [key, new Problem('sensor-failed', `${key} is no property of this thing`)];
          try {
            return [key, await measure(source.metric, source.path)];
          } catch (cause) {
            if (cause instanceof Problem) return [key, cause];
            return [key, new Problem('sensor-failed', `${source.metric} cannot be read: ${(cause as Error).message}`, { cause })];
          }
        });
        return new Map(await Promise.all(answers));
      },
      async write(key) {
        throw new Problem('command-rejected', `${key} is measured; it cannot be set`);
      },
      async close() {},
    };
  },
});

/**
 * The thing file of the machine itself, for a box that has no `system.yaml`.
 * @param options.dataRoot the disk that is watched is the one which holds this directory
 * @param options.hasTemperature whether {@link cpuThermalZone} found one
 */
export function systemThingYaml({ name, dataRoot, hasTemperature }: { name: string; dataRoot: string; hasTemperature: boolean }): string {
  const text = JSON.stringify;
  const temperature = `  cpu-temperature: { name: CPU temperature, datatype: float, unit: °C, source: { metric: cpu-temperature } }\n`;
  // Windows keeps no load average
  const load = `  load: { name: Load, datatype: float, source: { metric: load } }\n`;
  return `name: ${text(name)}
driver: system
sample: { every: 10s, onChange: true, atLeastEvery: 1m }
properties:
${hasTemperature ? temperature : ''}${process.platform === 'win32' ? '' : load}\
  cpu: { name: Processor, datatype: float, unit: '%', source: { metric: cpu } }
  memory: { name: Memory used, datatype: float, unit: '%', source: { metric: memory } }
  memory-used: { name: Memory, datatype: integer, unit: MB, history: false, source: { metric: memory-used } }
  disk: { name: Disk used, datatype: float, unit: '%', source: { metric: disk, path: ${text(dataRoot)} } }
  uptime: { name: Up for, datatype: integer, unit: s, history: false, source: { metric: uptime }, sample: { every: 1m } }
`;
}
