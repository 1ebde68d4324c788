import { randomUUID } from 'node:crypto';
import { flushCompileCache } from 'node:module';
import { hostname } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { commonApi, EVENTS, type EventKind, type EventPayload, type Health, Problem, type ServiceRecord, topics } from '@ledge/contract';
import { Gauge, Registry } from 'prom-client';
import type { z } from 'zod';
import { serveActions } from './actions.ts';
import { servePart, takeOver } from './backup/serve.ts';
import { type BusOptions, MqttBus } from './bus.ts';
import { systemClock } from './clock.ts';
import { brokerUrl, checkSavedSettings, readEdge, Settings } from './config.ts';
import { HttpApi, type ListenAddress } from './http.ts';
import { createLogger } from './log.ts';
import { createNotifier, type SupervisorMessage } from './notify.ts';
import { openApiDocument } from './openapi.ts';
import { DataDir, type Environment, ensureSecret } from './paths.ts';
import type { Clock, Logger, OwnBus, Random } from './ports.ts';
import type { Running, ServiceContext, ServiceDefinition } from './service.ts';
import { BusThings } from './things/things.ts';

const STOP_WITHIN_MS = 5000;
const REGISTER_WITHIN_MS = 10_000;
const CHECK_WITHIN_MS = 3000;
const UNWATCHED_CHECK_MS = 10_000;

/** What a test may replace; a service started by {@link main} has the real ones. */
export interface RunPorts {
  environment?: Environment;
  clock?: Clock;
  random?: Random;
  log?: Logger;
  send?: (message: SupervisorMessage) => void;
  openBus?: (options: BusOptions) => OwnBus;
  /** Ends the wait for the broker: whoever starts this has been told to stop. */
  signal?: AbortSignal;
}

export interface RunningService {
  readonly name: string;
  /** As in the registry record. */
  readonly address: string;
  stop(): Promise<void>;
}

function listenAddress(name: string, data: DataDir, environment: Environment): ListenAddress {
  const listen = environment.EDGE_LISTEN;
  if (!listen) return { kind: 'socket', path: data.socketPath(name) };
  const [, host, port] = /^(.*):(\d+)$/.exec(listen) ?? [];
  if (!host || !port) throw new Problem('config-invalid', `EDGE_LISTEN is ${listen}; host:port is wanted, such as 0.0.0.0:8000`);
  const secret = environment.EDGE_GATEWAY_SECRET ?? ensureSecret(data.gatewaySecretFile);
  return { kind: 'tcp', host, port: Number(port), secret, advertise: environment.EDGE_ADVERTISE ?? `${hostname()}:${port}` };
}

const addressText = (address: ListenAddress) => {
  if (address.kind === 'tcp') return `http://${address.advertise}`;
  return address.path.startsWith('\\\\') ? `pipe:${address.path}` : `unix:${address.path}`;
};

/**
 * Starts a service, in this order: settings, its own `start`, HTTP, bus, registration; then it says READY. Resolves when it runs.
 * Stops in the reverse order.
 * @throws Problem `config-invalid`, `already-running`, or what the service's own `start` threw; everything is given back before.
 */
export async function runService<Schema extends z.ZodObject>(
  definition: ServiceDefinition<Schema>,
  ports: RunPorts = {},
): Promise<RunningService> {
  const environment = ports.environment ?? process.env;
  const clock = ports.clock ?? systemClock;
  const random = ports.random ?? Math.random;
  const log = ports.log ?? createLogger(definition.name, environment);
  const { name, version, summary } = definition;

  const data = DataDir.of(environment);
  const restored = takeOver(name, data.root, definition.precious, log);
  const edge = readEdge(data, environment);
  const settings = new Settings(name, definition.settings, data, environment);
  const listen = listenAddress(name, data, environment);
  const notifier = createNotifier(environment, ports.send);
  const stopping = new AbortController();
  const startedMs = clock.now();
  let state: Health['state'] = 'starting';
  let fault: string | undefined;

  const record: ServiceRecord = {
    name,
    version,
    summary,
    state: 'ready',
    address: addressText(listen),
    instance: randomUUID(),
    startedAt: new Date(startedMs).toISOString(),
    tiles: [...(definition.tiles ?? [])],
  };
  const recordTopic = topics.service(edge.id, name);
  const openBus = ports.openBus ?? ((options) => new MqttBus(options));
  const bus = openBus({
    url: brokerUrl(data, environment),
    clientId: `ledge-${name}`,
    username: `ledge-${name}`,
    passwordFile: data.mqttSecretFile(name),
    will: { topic: recordTopic, payload: { ...record, state: 'lost' } },
    keepSession: definition.keepSession ?? false,
    clock,
    random,
    log,
  });
  const api = new HttpApi(log, listen.kind === 'tcp' ? listen.secret : undefined);
  const metrics = serviceMetrics(name, startedMs);

  const context: ServiceContext<z.output<Schema>> = {
    name,
    edge,
    dataRoot: data.root,
    dataDir: data.serviceDir(name),
    get settings() {
      return settings.current;
    },
    log,
    clock,
    random,
    bus,
    things: new BusThings({ bus, edge: edge.id, clock, log, signal: stopping.signal }),
    api,
    metrics,
    signal: stopping.signal,
    emit<K extends EventKind>(kind: K, payload: EventPayload<K>) {
      bus.publish(topics.event(edge.id, kind), EVENTS[kind].parse(payload)).catch(() => {});
    },
  };

  let running: Running<z.output<Schema>> | undefined;
  const health = (): Health => ({
    state,
    ...(fault === undefined ? {} : { detail: fault }),
    version,
    uptimeS: Math.round((clock.now() - startedMs) / 1000),
  });

  serveCommon();
  try {
    running = await definition.start(context);
    serveActions(context, { ...definition.actions, ...running.actions });
    await api.listen(listen);
  } catch (error) {
    stopping.abort();
    await running?.stop?.();
    await api.close();
    throw error;
  }

  bus.retain(recordTopic, record);
  const registered = new Promise<void>((resolve) => bus.onConnect(resolve));
  bus.start();
  const waited = new AbortController();
  const signal = ports.signal ? AbortSignal.any([ports.signal, waited.signal]) : waited.signal;
  await Promise.race([registered, clock.sleep(REGISTER_WITHIN_MS, signal).catch(() => {})]);
  waited.abort();
  state = 'ready';
  const stopChecking = clock.every(notifier.watchdogMs ?? UNWATCHED_CHECK_MS, () => void check());
  await check();
  notifier.ready();
  restored();
  context.emit('service-ready', { service: name });
  log.info({ version, address: record.address, startMs: clock.now() - startedMs, registered: bus.connected }, 'service ready');

  /** The watchdog is fed only after the service's own check passed in time. */
  async function check(): Promise<void> {
    const timedOut = new AbortController();
    try {
      await Promise.race([
        Promise.resolve(running?.check?.()),
        clock.sleep(CHECK_WITHIN_MS, timedOut.signal).then(() => {
          throw new Error(`the check took longer than ${CHECK_WITHIN_MS} ms`);
        }),
      ]);
      if (fault !== undefined) log.info('check passes again');
      fault = undefined;
      if (state === 'degraded') state = 'ready';
      notifier.watchdog();
    } catch (error) {
      if (stopping.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      if (fault !== message) log.error({ err: error }, 'check failed');
      fault = message;
      state = 'degraded';
      notifier.status(message);
    } finally {
      timedOut.abort();
    }
  }

  function serveCommon(): void {
    servePart(api, {
      service: name,
      version,
      root: data.root,
      edge: edge.id,
      precious: definition.precious,
      facts: () => running?.backup,
      checkSettings: (file) => checkSavedSettings(name, definition.settings, data, environment, file),
      log,
    });
    if (!definition.ownHealth) api.handle(commonApi.health, () => health());
    api.handle(commonApi.openapi, () => openApiDocument({ name, version, summary }, [...api.operations, ...(definition.documented ?? [])]));
    api.handle(commonApi.settings, () => settings.view());
    api.handle(commonApi.changeSettings, async ({ body, caller }) => {
      const applied = settings.change(body, running?.apply !== undefined);
      if (applied.length > 0) await running?.apply?.(settings.current);
      log.info({ keys: Object.keys(body), applied, user: caller.user }, 'settings changed');
      context.emit('setting-changed', { service: name, keys: Object.keys(body), user: caller.user });
      return settings.view();
    });
    api.handle(commonApi.metrics, async ({ response }) => {
      response.type(metrics.contentType).send(await metrics.metrics());
    });
  }

  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    state = 'stopping';
    notifier.stopping();
    stopChecking();
    stopping.abort();
    await running?.stop?.();
    await bus.stop({ ...record, state: 'disconnected' });
    await api.close();
    log.info('service stopped');
  }
  return {
    name,
    address: record.address,
    stop: () => (stopped ??= stop()),
  };
}

function serviceMetrics(name: string, startedMs: number): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service: name });
  const gauge = (metric: string, help: string, read: () => number) =>
    new Gauge({
      name: metric,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss());
  gauge('process_cpu_seconds_total', 'User and system CPU time', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge('process_start_time_seconds', 'Start, seconds since 1970', () => startedMs / 1000);
  return registry;
}

/**
 * The whole of a `main.ts`: runs the service until SIGTERM, SIGINT or its supervisor says stop, then ends the process,
 * by force when stopping takes longer than 5 s. A mistake in the configuration is told on stderr and ends with code 78 (EX_CONFIG).
 */
export async function main<Schema extends z.ZodObject>(definition: ServiceDefinition<Schema>): Promise<void> {
  const environment = process.env;
  const log = createLogger(definition.name, environment);
  const die = (error: unknown) => {
    log.fatal({ err: error }, error instanceof Problem ? error.message : 'the service died');
    process.exit(error instanceof Problem && error.code === 'config-invalid' ? 78 : 1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);

  const send = process.send?.bind(process);
  const ending = new AbortController();
  const service = runService(definition, {
    environment,
    log,
    signal: ending.signal,
    ...(send ? { send: (message: SupervisorMessage) => void send(message) } : {}),
  });
  const stop = () => {
    ending.abort();
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    service
      .then(
        (running) => running.stop(),
        () => {},
      )
      .then(() => process.exit(0), die);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.once('disconnect', stop);
  process.on('message', (message) => {
    if ((message as { type?: string }).type === 'stop') stop();
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
