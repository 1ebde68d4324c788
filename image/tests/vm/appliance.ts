import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { until } from '@ledge/testing';
import { ADMIN_PASSWORD, type ApplianceOptions, type Board } from '../../../acceptance/appliance.ts';
import { HttpAppliance } from '../../../acceptance/http-appliance.ts';
import { health, isReady } from './health.ts';
import type { Machine } from './machine.ts';
import { type ExecOptions, type Result, RootShells } from './root-shell.ts';

const DATA = '/var/lib/ledge';
/** All five start at once, on processors that other boards may share. */
const READY_WITHIN_MS = 240_000;

type Exec = (script: string, options?: ExecOptions) => Promise<Result>;

/** A box that a test has switched on, with its API: the admin password is chosen if there is none. */
export async function applianceOf(machine: Machine): Promise<BoardAppliance> {
  const board = { url: machine.url, mqttPort: machine.ports.mqtt, slowness: 1 };
  const appliance = new BoardAppliance(
    board,
    (script, options) => machine.exec(script, options),
    () => {},
  );
  await appliance.signIn(ADMIN_PASSWORD);
  return appliance;
}

/** The board is one; who wants it while another has it waits. */
let taken: Promise<void> = Promise.resolve();

/**
 * The emulated board as an {@link Appliance}, with the things asked for and nothing else of earlier tests: its data are made anew when
 * things are given, else only its things are taken away.
 */
export async function takeBoard(board: Board, options: ApplianceOptions): Promise<BoardAppliance> {
  if (options.config || options.dataDir || options.environment) throw new Error('a board takes only things');
  const before = taken;
  const turn = Promise.withResolvers<void>();
  taken = turn.promise;
  await before;
  const shells = new RootShells([connect(board.shell)]);
  const appliance = new BoardAppliance(
    board,
    (script, exec) => shells.exec(script, exec),
    () => {
      shells.close();
      turn.resolve();
    },
  );
  try {
    await appliance.makeNew(options.things ?? {});
    await appliance.signIn(ADMIN_PASSWORD);
    return appliance;
  } catch (error) {
    await appliance.stop();
    throw error;
  }
}

/** Drives a box in an emulated board: its ports are forwarded, everything else goes through a root shell. */
export class BoardAppliance extends HttpAppliance {
  readonly url: string;
  readonly mqttPort: number;
  readonly dataDir = DATA;
  readonly log: string[] = [];
  readonly slowness: number;
  readonly #exec: Exec;
  readonly #release: () => void;

  constructor(board: Pick<Board, 'url' | 'mqttPort' | 'slowness'>, exec: Exec, release: () => void) {
    super();
    this.url = board.url;
    this.mqttPort = board.mqttPort;
    this.slowness = board.slowness;
    this.#exec = exec;
    this.#release = release;
  }

  /** Standard output of a root command that must succeed. */
  async sh(script: string, options: ExecOptions = {}): Promise<string> {
    const { code, out, err } = await this.#exec(script, options);
    if (code !== 0) throw new Error(`«${script}» ended with ${code} in the board: ${err}`);
    return out.trim();
  }

  async makeNew(things: Readonly<Record<string, string>>): Promise<void> {
    const names = Object.keys(things);
    if (names.length === 0) await this.sh(`rm -f ${DATA}/things/*.yaml`);
    else {
      await this.sh(`systemctl stop 'ledge-*.service' --no-block; for s in broker device sse media server; do systemctl stop ledge-$s; done
        find ${DATA}/things ${DATA}/device ${DATA}/server ${DATA}/broker ${DATA}/media -mindepth 1 -delete`);
      for (const name of names) await this.#putThing(name, things[name] ?? '');
      await this.sh('systemctl start ledge.target; for s in broker device sse media server; do systemctl start ledge-$s; done', {
        seconds: READY_WITHIN_MS / 1000,
      });
    }
    await until(
      'all services of the board',
      async () => {
        const answer = await health(this.url);
        if (answer && isReady(answer)) return true;
        await setTimeout(200);
        return false;
      },
      READY_WITHIN_MS,
    );
  }

  async #putThing(name: string, yaml: string): Promise<void> {
    // its own user writes it, as the API would have it
    await this.sh(
      `umask 027; cat >${DATA}/device/draft; chown ledge-device: ${DATA}/device/draft; mv ${DATA}/device/draft '${DATA}/things/${name}'`,
      { input: yaml },
    );
  }

  override async dropThing(name: string, yaml: string): Promise<number> {
    const startMs = performance.now();
    await this.#putThing(name, yaml);
    return startMs;
  }

  override async killProcess(pid: number): Promise<void> {
    await this.#exec(`kill -9 ${pid}`);
  }

  override async childOf(pid: number, program: string): Promise<number | undefined> {
    const { out } = await this.#exec(`pgrep -P ${pid} -x ${program}`);
    return Number(out.trim()) || undefined;
  }

  override async stop(): Promise<void> {
    this.#release();
  }
}
