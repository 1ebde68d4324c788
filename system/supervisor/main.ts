import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Problem } from '@ledge/contract';
import { DataDir, ensureSecret, systemClock } from '@ledge/kit';
import { EXIT_CONFIG } from './child.ts';
import { formatLine } from './log.ts';
import { optionsToEnvironment, USAGE } from './options.ts';
import { OUR_SERVICES, type ServicePlan } from './services.ts';
import { nodeSpawn } from './spawn.ts';
import { Supervisor } from './supervisor.ts';

/** Bundles lie beside this file in `dist`; in a source checkout each service is in its own folder. */
function moduleOf(name: string): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const bundle = join(here, `${name}.mjs`);
  return existsSync(bundle) ? bundle : join(here, '..', '..', 'services', name, 'main.ts');
}

async function runOne(name: string): Promise<void> {
  if (!OUR_SERVICES.some((service) => service.name === name)) {
    throw new Problem('config-invalid', `EDGE_SERVICE is ${name}; one of ${OUR_SERVICES.map((s) => s.name).join(', ')} is wanted`);
  }
  ensureSecret(DataDir.of(process.env).mqttSecretFile(name));
  await import(pathToFileURL(moduleOf(name)).href);
}

async function runAll(): Promise<void> {
  const { help, environment: given } = optionsToEnvironment(process.argv.slice(2), process.cwd());
  if (help) {
    console.log(USAGE);
    return;
  }
  const environment = { ...process.env, ...given };
  const plans: ServicePlan[] = OUR_SERVICES.map((service) => ({ ...service, module: moduleOf(service.name) }));
  const colour = process.stdout.isTTY && !process.env.NO_COLOR;
  const supervisor = new Supervisor({
    environment,
    plans,
    spawn: nodeSpawn(environment),
    clock: systemClock,
    random: Math.random,
    pid: process.pid,
    print: (line) => process.stdout.write(`${formatLine(line, colour)}\n`),
  });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    void supervisor.stop().then(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  await supervisor.start();
}

try {
  await (process.env.EDGE_SERVICE ? runOne(process.env.EDGE_SERVICE) : runAll());
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  console.error(`ledge: ${error.message}`);
  process.exit(error.code === 'config-invalid' ? EXIT_CONFIG : 1);
}
