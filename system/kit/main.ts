import { flushCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Problem } from '@ledge/contract';
import type { z } from 'zod';
import { EXIT_CONFIG } from './exit.ts';
import { createLogger } from './log.ts';
import type { StopMessage, SupervisorMessage } from './notify.ts';
import { runService } from './run.ts';
import type { ServiceDefinition } from './service.ts';

const STOP_WITHIN_MS = 5000;

/**
 * The whole of a `main.ts`: runs the service until SIGTERM, SIGINT or its supervisor says stop, then ends the process,
 * by force when stopping takes longer than 5 s. A mistake in the configuration is told on stderr and ends with code 78 (EX_CONFIG).
 */
export async function main<Schema extends z.ZodObject>(definition: ServiceDefinition<Schema>): Promise<void> {
  const environment = process.env;
  const log = createLogger(definition.name, environment);
  const die = (error: unknown) => {
    log.fatal({ err: error }, error instanceof Problem ? error.message : 'the service died');
    process.exit(error instanceof Problem && error.code === 'config-invalid' ? EXIT_CONFIG : 1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);

  const send = process.send?.bind(process);
  const ending = new AbortController();
  const service = runService(definition, {
    environment,
    log,
    signal: ending.signal,
    onRefused: () => process.exit(1),
    ...(send ? { send: (message: SupervisorMessage) => void send(message) } : {}),
  });
  const stop = (how?: { forGood: true }) => {
    ending.abort();
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    service
      .then(
        (running) => running.stop(how),
        () => {},
      )
      .then(() => process.exit(0), die);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(signal, () => stop());
  process.on('message', (message) => {
    const { type, forGood } = message as Partial<StopMessage>;
    if (type === 'stop') stop(forGood ? { forGood } : undefined);
  });
  await service.catch(die);
  flushCompileCache(); // where NODE_COMPILE_CACHE is set: a power cut would lose what is only written at the end
  collectGarbageOfStart();
}

/**
 * The garbage of the start, 4 MiB, which an idle service would keep for hours; a plain gc() gives hardly any of it back to the system.
 * gc() is asked for this late because a V8 flag on the command line makes Node reject its own compiled modules, 2 s of a small board's start.
 */
function collectGarbageOfStart(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as NonNullable<typeof globalThis.gc>;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
