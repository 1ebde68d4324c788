import { randomUUID } from 'node:crypto';
import {
  commonApi,
  EVENTS,
  type EventKind,
  type EventPayload,
  type Health,
  isOurService,
  Problem,
  type ServiceRecord,
  shown,
  topics,
} from '@ledge/contract';
import { Gauge, Registry } from 'prom-client';
import type { z } from 'zod';
import { serveActions } from './actions.ts';
import { addressText, listenAddress } from './address.ts';
import { servePart, takeOver } from './backup/serve.ts';
import { type BusOptions, MqttBus } from './bus.ts';
import { systemClock } from './clock.ts';
import { brokerUrl, checkSavedSettings, readEdge, Settings } from './config.ts';
import { HttpApi } from './http.ts';
import { createLogger } from './log.ts';
import { checkNameOnBus, lockName, NameWatch } from './name.ts';
import { serviceNameFault } from './names.ts';
import { createNotifier, type SupervisorMessage } from './notify.ts';
import { openApiDocument } from './openapi.ts';
import { DataDir, type Environment, ensureSecret } from './paths.ts';
import type { Clock, Logger, OwnBus, Payload, Random } from './ports.ts';
import type { Running, ServiceContext, ServiceDefinition } from './service.ts';
import { BusThings } from './things/things.ts';

const REGISTER_WITHIN_MS = 10_000;
const CHECK_WITHIN_MS = 3000;
const UNWATCHED_CHECK_MS = 10_000;

/** What a test may replace; a service started by `main` has the real ones. */
export interface RunPorts {
  environment?: Environment;
  clock?: Clock;
  random?: Random;
  log?: Logger;
  send?: (message: SupervisorMessage) => void;
  openBus?: (options: BusOptions) => OwnBus;
  /** Ends the wait for the broker: whoever starts this has been told to stop. */
  signal?: AbortSignal;
  /** Told when another process turned out to be this service, and this one has stopped for it (`already-running`). */
  onRefused?: (problem: Problem) => void;
}

export interface RunningService {
  readonly name: string;
  /** As in the registry record. */
  readonly address: string;
  /** @param how.forGood it will not come back: it goes from the registry, where a service that somebody manages stays as `disconnected` */
  stop(how?: { forGood?: boolean }): Promise<void>;
}

/**
 * Starts a service, in this order: settings, its own `start`, HTTP, bus, registration; then it says READY. Resolves when it runs.
 * Stops in the reverse order.
 * @throws Problem `config-invalid`, `already-running`, or what the service's own `start` threw; everything is given back before.
 */
export async function runService<Schema extends z.ZodObject>(
  definition: ServiceDefinition<Schema>,
  ports: RunPorts = {},
): Promise<RunningService> {
  const fault = isOurService(definition.name) ? undefined : serviceNameFault(definition.name);
  if (fault) throw new Problem('config-invalid', `a service is called ${shown(definition.name)}; ${fault}`);
  const data = DataDir.of(ports.environment ?? process.env);
  const lock = lockName(definition.name, data);
  try {
    const service = await start(definition, ports, data);
    return { ...service, stop: (how) => service.stop(how).finally(() => lock.release()) };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function start<Schema extends z.ZodObject>(
  definition: ServiceDefinition<Schema>,
  ports: RunPorts,
  data: DataDir,
): Promise<RunningService> {
  const environment = ports.environment ?? process.env;
  const clock = ports.clock ?? systemClock;
  const random = ports.random ?? Math.random;
  const log = ports.log ?? createLogger(definition.name, environment);
  const { name, version, summary } = definition;

  const restored = takeOver(name, data.root, definition.precious, log);
  const edge = readEdge(data, environment);
  const settings = new Settings(name, definition.settings, data, environment);
  const listen = listenAddress(name, data, environment);
  const notifier = createNotifier(environment, ports.send);
  const isManaged = environment.NOTIFY_SOCKET !== undefined || ports.send !== undefined;
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
  ensureAccount(data.mqttSecretFile(name), log);
  const account = {
    url: brokerUrl(data, environment),
    // of its own for each process: with one in common the second would throw the first off the bus
    clientId: `ledge-${name}-${record.instance.slice(0, 8)}`,
    username: `ledge-${name}`,
    passwordFile: data.mqttSecretFile(name),
    will: undefined,
    clock,
    random,
    log,
  };
  // ours share the box's data directory, and so its lock; a question to the bus would only hold up their start
  if (!ports.openBus && !isOurService(name)) await checkNameOnBus(recordTopic, account);
  const openBus = ports.openBus ?? ((options) => new MqttBus(options));
  const bus = openBus({
    ...account,
    ...(definition.keepSession ? { clientId: `ledge-${name}`, keepSession: true } : {}),
    will: { topic: recordTopic, payload: { ...record, state: 'lost' } },
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
    instance: record.instance,
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

  const refused = Promise.withResolvers<Problem>();
  const nameWatch = new NameWatch({ mine: record, topic: recordTopic, bus, clock, log, refuse: refused.resolve });
  await nameWatch.start();
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

  void refused.promise.then(async (problem) => {
    log.fatal({ err: problem }, problem.message);
    await stop(undefined);
    ports.onRefused?.(problem);
  });

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
  async function end(farewell: Payload | undefined): Promise<void> {
    state = 'stopping';
    nameWatch.stop();
    notifier.stopping();
    stopChecking();
    stopping.abort();
    await running?.stop?.();
    await bus.stop(farewell);
    await api.close();
    log.info('service stopped');
  }
  function stop(farewell: Payload | undefined): Promise<void> {
    stopped ??= end(farewell);
    return stopped;
  }
  return {
    name,
    address: record.address,
    stop: ({ forGood = !isManaged && !isOurService(name) } = {}) => stop(forGood ? '' : { ...record, state: 'disconnected' }),
  };
}

/** Its password for the broker, which reads it when somebody signs in. Where only root may make it, it is there. */
function ensureAccount(file: string, log: Logger): void {
  try {
    ensureSecret(file);
  } catch (error) {
    log.warn({ err: error, file }, 'the password for the broker is missing, and could not be made');
  }
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
