import { serviceUnits } from '@ledge/doctor/checks/units.ts';
import type { Facts } from '@ledge/doctor/facts.ts';
import { type Output, Unseen } from '@ledge/doctor/ports.ts';
import { messageOf, parseProperties } from '@ledge/doctor/systemd.ts';
import { parseLogLine } from '@ledge/kit/log-line.ts';
import { CliError, EXIT } from '../error.ts';
import type { ServiceRow, Services, World } from '../world.ts';

/** To start a service may take its time, and a board under load too; whoever waits can press Ctrl-C. */
const ACT_WITHIN_MS = 100_000;
const unitOf = (name: string) => `ledge-${name}.service`;
const nameOf = (unit: string) => /^ledge-(.+)\.service$/.exec(unit)?.[1];

/** systemd on the card, through its own tools: they need no further rights than whoever calls. */
export function systemdServices(world: World, facts: Facts): Services {
  const { ports } = world;

  return {
    async list() {
      const units = await serviceUnits(facts).catch((error: unknown) => {
        throw error instanceof Unseen ? new CliError(EXIT.away, `The services cannot be seen: ${error.message}`) : error;
      });
      const nowS = await facts.uptimeS().catch(() => undefined);
      return [...units].flatMap(([unit, properties]) => {
        const name = nameOf(unit);
        return name === undefined || properties.Type === 'oneshot' ? [] : [rowOf(name, properties, nowS)];
      });
    },

    async restart(name) {
      const unit = unitOf(name);
      const shown = parseProperties((await systemctl(world, ['show', '--property=LoadState,Type', '--', unit])).stdout);
      if (shown.LoadState === 'not-found' || shown.Type === 'oneshot') {
        const known = (await this.list()).map((row) => row.name).join(', ');
        throw new CliError(EXIT.usage, `There is no service ${name}; there are ${known}.`);
      }
      refused(await systemctl(world, ['restart', '--', unit]), `${name} was not restarted`);
    },

    async *logs({ service, last, follow, signal }) {
      const args = [
        '--output=json',
        '--output-fields=MESSAGE,PRIORITY,_SYSTEMD_UNIT,UNIT',
        '--all', // fields over 4 KiB would come as null
        '--no-pager',
        '--boot',
        `--lines=${last}`,
        ...(follow ? ['--follow'] : []),
        `--unit=${unitOf(service ?? '*')}`,
      ];
      for await (const text of world.lines('journalctl', args, signal)) {
        const line = parseEntry(text, ports.now());
        if (line) yield line;
      }
    },
  };
}

const STATES: Record<string, string> = {
  active: 'running',
  reloading: 'running',
  activating: 'starting',
  deactivating: 'stopping',
  inactive: 'stopped',
  failed: 'failed',
};

function rowOf(name: string, unit: Record<string, string>, nowS: number | undefined): ServiceRow {
  const number = (text: string | undefined) => (text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined);
  const missing = unit.LoadState === 'not-found';
  const state = missing ? 'missing' : unit.SubState === 'auto-restart' ? 'waiting' : (STATES[unit.ActiveState ?? ''] ?? 'unknown');
  const since = Number(unit.ActiveEnterTimestampMonotonic ?? 0) / 1e6;
  const memory = number(unit.MemoryCurrent);
  const limit = number(unit.MemoryMax);
  const restarts = number(unit.NRestarts);
  return {
    name,
    state,
    ...(state === 'running' && nowS !== undefined && since > 0 ? { upS: nowS - since } : {}),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(limit === undefined ? {} : { memoryLimitBytes: limit }),
    ...(restarts === undefined ? {} : { restarts }),
    ...(state !== 'running' && unit.Result && unit.Result !== 'success' ? { detail: unit.Result } : {}),
  };
}

/** From syslog's priorities (RFC 5424, 6.2.1) to pino's levels. */
const LEVEL_OF_PRIORITY = [60, 60, 60, 50, 40, 30, 30, 20];

function parseEntry(text: string, nowMs: number) {
  if (!text.startsWith('{')) return undefined;
  try {
    const entry = JSON.parse(text) as Record<string, unknown>;
    const own = nameOf(String(entry._SYSTEMD_UNIT));
    const service = own ?? nameOf(String(entry.UNIT)) ?? 'systemd';
    const timeMs = Number(entry.__REALTIME_TIMESTAMP) / 1000;
    const otherwise = { level: LEVEL_OF_PRIORITY[Number(entry.PRIORITY)] ?? 30, timeMs: Number.isFinite(timeMs) ? timeMs : nowMs };
    return parseLogLine(service, messageOf(entry.MESSAGE), otherwise);
  } catch {
    return undefined;
  }
}

/** Runs systemctl without ever asking for a password: nobody has one. @throws CliError where it cannot be run */
export async function systemctl({ ports }: World, args: readonly string[]): Promise<Output> {
  try {
    return await ports.run('systemctl', ['--no-pager', '--no-ask-password', ...args], ACT_WITHIN_MS);
  } catch (error) {
    throw error instanceof Unseen ? new CliError(EXIT.away, `systemd cannot be asked: ${error.message}.`) : error;
  }
}

/** @throws CliError when the program said no */
export function refused({ code, stderr }: Output, what: string): void {
  if (code === 0) return;
  const why = stderr.trim().split('\n')[0] ?? '';
  const denied = /access denied|interactive authentication required|not authorized/i.test(stderr);
  throw new CliError(denied ? EXIT.denied : EXIT.failed, `${what}: ${why || `systemctl ended with ${code}`}`);
}
