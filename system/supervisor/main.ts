import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Problem } from '@ledge/contract';
import { DataDir, EXIT_CONFIG, ensureSecret, projectOf, systemClock } from '@ledge/kit';
import { formatLine } from './log.ts';
import { optionsToEnvironment, USAGE } from './options.ts';
import { watchBuiltProject } from './project-watch.ts';
import { servicePlans } from './services.ts';
import { nodeSpawn } from './spawn.ts';
import { Supervisor } from './supervisor.ts';

/** Bundles lie beside this file in `dist`; in a source checkout each service is in its own folder. */
function moduleOf(name: string): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const bundle = join(here, `${name}.mjs`);
  return existsSync(bundle) ? bundle : join(here, '..', '..', 'services', name, 'main.ts');
}

async function runOne(name: string): Promise<void> {
  const plans = servicePlans(moduleOf, projectOf(process.env));
  const plan = plans.find((service) => service.name === name);
  if (!plan) throw new Problem('config-invalid', `EDGE_SERVICE is ${name}; one of ${plans.map((s) => s.name).join(', ')} is wanted`);
  stopBeforeItListens();
  ensureSecret(DataDir.of(process.env).mqttSecretFile(name));
  await import(pathToFileURL(plan.module).href);
}

/** As process 1 of a container a signal without a listener is ignored, and the service listens only when all of it is loaded. */
function stopBeforeItListens(): void {
  process.once('SIGTERM', () => {
    if (process.listenerCount('SIGTERM') === 0) process.exit(0);
  });
}

async function runAll(): Promise<void> {
  const { help, environment: given } = optionsToEnvironment(process.argv.slice(2), process.cwd());
  if (help) {
    console.log(USAGE);
    return;
  }
  const environment = { ...process.env, ...given };
  const project = projectOf(environment);
  const colour = process.stdout.isTTY && !process.env.NO_COLOR;
  const supervisor = new Supervisor({
    environment,
    plans: servicePlans(moduleOf, project),
    spawn: nodeSpawn(environment),
    clock: systemClock,
    random: Math.random,
    pid: process.pid,
    print: (line) => process.stdout.write(`${formatLine(line, colour)}\n`),
  });
  const watching = project
    ? watchBuiltProject(project.dir, {
        clock: systemClock,
        onChange: (changed) => void supervisor.change(servicePlans(moduleOf, changed)),
        onMistake: (sentence) => supervisor.say(50, sentence),
      })
    : undefined;
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    watching?.stop();
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
