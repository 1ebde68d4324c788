import { join } from 'node:path';
import { topics } from '@ledge/contract';
import {
  brokerUrl,
  DataDir,
  defineService,
  type Environment,
  MqttBus,
  type OwnBus,
  projectOf,
  type ServiceContext,
  type ServiceDefinition,
} from '@ledge/kit';
import type { Driver, DriverEnvironment } from '@ledge/sdk';
import { type DeviceSettings, deviceSettings } from './config.ts';
import { DeviceCore, ROOT_THING } from './core.ts';
import { builtInDrivers } from './drivers/index.ts';
import { registerMetrics } from './metrics.ts';
import { systemProcesses } from './processes.ts';
import { routes } from './routes.ts';
import { keepThingsLaid } from './things/lay.ts';

/** What was laid of the project's thing files, by which an update of the project knows what the box's owner changed. */
const LAID = 'project-things.json';

type Context = ServiceContext<DeviceSettings>;

/** What a test, or a project with drivers of its own, may replace. */
export interface DevicePorts {
  environment?: Environment;
  drivers?: ReadonlyMap<string, Driver>;
  /** Root of the kernel's trees. */
  root?: string;
  openBus?: (context: Context) => OwnBus;
}

/** A second connection of this service: MQTT has one will for each, and this one's is the root device's `lost`. */
function openThingsBus({ edge, name, dataRoot, clock, random, log }: Context, environment: Environment): OwnBus {
  const data = new DataDir(dataRoot);
  return new MqttBus({
    url: brokerUrl(data, environment),
    clientId: `ledge-${name}-things`,
    username: `ledge-${name}`,
    passwordFile: data.mqttSecretFile(name),
    will: { topic: topics.state(edge.id, ROOT_THING), payload: 'lost' },
    clock,
    random,
    log: log.child({ bus: 'things' }),
  });
}

/** The device service: things, from their files and drivers to the bus and back. */
export function deviceService(ports: DevicePorts = {}): ServiceDefinition<typeof deviceSettings> {
  const processEnvironment = ports.environment ?? process.env;
  const drivers = ports.drivers ?? builtInDrivers;
  return defineService({
    name: 'device',
    version: '0.1.0',
    summary: 'Things: reads sensors, moves actuators, keeps readings while the broker is away',
    settings: deviceSettings,
    // not the outbox: its numbers must only grow, and what waits in it is on its way
    precious: { items: [{ path: 'things' }, { path: `device/${LAID}` }] },
    async start(context) {
      const { edge, dataRoot, dataDir, log, clock, random, bus, api, metrics } = context;
      const environment: DriverEnvironment = {
        edge: edge.id,
        clock,
        random,
        log,
        root: ports.root ?? '/',
        bus,
        fetch: globalThis.fetch,
        processes: systemProcesses,
      };
      const core = new DeviceCore({
        edge,
        dataRoot,
        dataDir,
        settings: () => context.settings,
        log,
        clock,
        random,
        bus: ports.openBus?.(context) ?? openThingsBus(context, processEnvironment),
        drivers,
        environment,
        emit: (kind, payload) => context.emit(kind, payload),
      });
      routes(api, core, { clock, drivers, environment });
      registerMetrics(metrics, core);
      const project = projectOf(processEnvironment);
      const laying = project
        ? keepThingsLaid({ from: project.thingsDir, to: join(dataRoot, 'things'), recordFile: join(dataDir, LAID), log }, clock)
        : undefined;
      await core.start();
      return {
        check: () => core.check(),
        backup: { count: (files) => ({ things: files.filter((path) => /^things\/[^/]+\.yaml$/.test(path)).length }) },
        apply: () => {}, // each setting is read when it is needed
        stop() {
          laying?.stop();
          return core.stop();
        },
        actions: {
          'read-now': {
            title: 'Read all things now',
            async run() {
              const { read, failed } = await core.readNow();
              return `${read} values were read${failed === 0 ? '' : `, ${failed} could not be`}`;
            },
          },
        },
      };
    },
  });
}
