import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findProgram } from '@ledge/testing';
import { run } from '../../run.ts';
import { firewallNow } from './firewall.ts';

const ANSWERS_WITHIN_MS = 60_000;
const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

/** A Docker engine for tests. */
export interface TestEngine {
  /** `DOCKER_HOST`. */
  readonly host: string;
  /** Started by us: it may be ended, and is then started again. */
  readonly isOurs: boolean;
  /** Ends it, if it is ours, and removes all that it made. */
  stop(): Promise<void>;
}

/** What makes the images. */
const TOOLS = ['mmdebstrap', 'git', 'gcc'];
const HOME_PREFIX = 'ledge-docker-';

/** Why containers of ours cannot be run on this machine; undefined when they can. */
export async function whyNoContainers(environment: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  if (process.platform !== 'linux') return `images are made on Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'images are made as root';
  const missing = TOOLS.filter((tool) => !findProgram(tool));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  if (!findProgram('docker')) return 'docker is not installed (Debian: docker.io)';
  if (!(await composeCommand())) return 'docker-compose is not installed';
  if (await answers(environment.DOCKER_HOST)) return undefined;
  return findProgram('dockerd') ? undefined : 'no Docker engine answers, and dockerd is not installed (Debian: docker.io)';
}

/** `docker-compose`, or the plugin of newer engines; undefined where there is neither. */
export async function composeCommand(): Promise<readonly [string, ...string[]] | undefined> {
  if (findProgram('docker-compose')) return ['docker-compose'];
  return await run('docker', ['compose', 'version']).then(
    () => ['docker', 'compose'] as const,
    () => undefined,
  );
}

const answers = (host: string | undefined) =>
  run('docker', ['version', '--format', '{{.Server.Version}}'], host ? { environment: { DOCKER_HOST: host } } : {}).then(
    () => true,
    () => false,
  );

/**
 * The engine that answers here; where none does, one of our own, with folders, socket and process file of its own. That one is
 * started again whenever it ends, as systemd would.
 * @throws Error when it does not come up, with the end of its log
 */
export async function openEngine(): Promise<TestEngine> {
  const { DOCKER_HOST } = process.env;
  if (await answers(DOCKER_HOST)) {
    // another process of the same tests may have started it, and ends it
    const isOurs = DOCKER_HOST?.includes(HOME_PREFIX) ?? false;
    return { host: DOCKER_HOST ?? 'unix:///var/run/docker.sock', isOurs, stop: () => Promise.resolve() };
  }
  const home = mkdtempSync(join(tmpdir(), HOME_PREFIX));
  const log = join(home, 'log');
  const host = `unix://${join(home, 'docker.sock')}`;
  const firewall = await firewallNow();
  const forwarding = readFileSync(FORWARDING, 'utf8');
  const output = createWriteStream(log, { flags: 'a' });
  let isStopping = false;
  let child: ChildProcess;
  const start = () => {
    child = spawn(
      'dockerd',
      [
        ...['--data-root', join(home, 'data'), '--exec-root', join(home, 'exec'), '--pidfile', join(home, 'pid'), '--host', host],
        ...['--bridge', 'none'], // compose makes networks of its own, and takes them away again
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [child.stdout, child.stderr]) stream?.pipe(output, { end: false });
    child.once('exit', () => {
      if (!isStopping) start();
    });
  };
  const stop = async () => {
    isStopping = true;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    output.end();
    await firewall.restore();
    writeFileSync(FORWARDING, forwarding);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };
  start();
  const endMs = performance.now() + ANSWERS_WITHIN_MS;
  while (!(await answers(host))) {
    if (performance.now() > endMs) {
      const said = readFileSync(log, 'utf8').slice(-3000);
      await stop();
      throw new Error(`dockerd did not answer within ${ANSWERS_WITHIN_MS / 1000} s:\n${said}`);
    }
    await pause(200);
  }
  return { host, isOurs: true, stop };
}
