import { join } from 'node:path';
import { Problem } from '@ledge/contract';
import { chooseMachine, chooseServiceManager, type Machine, type ServiceManager } from '@ledge/host';
import {
  DataDir,
  defineService,
  type Environment,
  ensureSecret,
  HttpApi,
  type Logger,
  openApiDocument,
  type Running,
  type ServiceContext,
} from '@ledge/kit';
import { openAuth } from './auth/auth.ts';
import { takeFirstAdmin } from './auth/first-admin.ts';
import { readBoxLanguage } from './auth/preferences.ts';
import { serveAuth } from './auth/routes.ts';
import { SESSION_COOKIE } from './auth/sessions.ts';
import type { Users } from './auth/users.ts';
import { BackupDesk } from './backup/desk.ts';
import { Marker } from './backup/marker.ts';
import { Parts } from './backup/parts.ts';
import { precious } from './backup/precious.ts';
import { Restorer } from './backup/restorer.ts';
import { serveBackup } from './backup/routes.ts';
import { type ServerSettings, settingsSchema } from './config.ts';
import { ServiceControl } from './control/control.ts';
import { Diagnosis } from './diagnosis/diagnosis.ts';
import { serveDiagnosis } from './diagnosis/routes.ts';
import { frontDoor } from './gateway/front.ts';
import { Gateway, OWN_NAME } from './gateway/gateway.ts';
import { PublicListener } from './gateway/listener.ts';
import { RequestMetrics } from './gateway/request-metrics.ts';
import { KioskDesk } from './kiosk/kiosk-desk.ts';
import { KioskPass } from './kiosk/pass.ts';
import { serveKiosk } from './kiosk/routes.ts';
import { LogStreams } from './logs/stream.ts';
import { DoctorDesk, examineHere } from './machine/doctor-desk.ts';
import { BoxIdentity } from './machine/identity.ts';
import { MachineDesk } from './machine/machine-desk.ts';
import { serveMachine } from './machine/routes.ts';
import { collectMetrics } from './metrics/collect.ts';
import { OpenApiDocuments } from './openapi/documents.ts';
import { mergeOpenApi, type OpenApiDocument } from './openapi/merge.ts';
import { createRecorder } from './recorder/index.ts';
import { ServiceRegistry } from './registry/registry.ts';
import { serveBox } from './routes.ts';
import { locateWebUi, WebUi } from './web/web.ts';

const VERSION = '0.1.0';
/** The display's program has a user of its own, in the group of the file. */
const KIOSK_PASS_MODE = 0o640;
const SUMMARY = 'The front door: web UI, sign-in, the way to every service, history';
const ANSWER_WITHIN_MS = 60_000;
/** For a service that has just missed its health check. */
const AWAY_ANSWER_WITHIN_MS = 5_000;

/** What the composition takes from the process and the machine; a test gives its own. */
export interface ServerPorts {
  environment: Environment;
  manager?: ServiceManager;
  machine?: Machine;
  /** Told the public port when it is open. */
  onListening?: (port: number) => void;
}

/** The service definition. */
export const serverService = (ports: ServerPorts) =>
  defineService({
    name: OWN_NAME,
    version: VERSION,
    summary: SUMMARY,
    settings: settingsSchema,
    precious,
    ownHealth: true,
    keepSession: true,
    start: (context) => startServer(context, ports),
  });

async function startServer(
  context: ServiceContext<ServerSettings>,
  { environment, manager: givenManager, machine: givenMachine, onListening }: ServerPorts,
): Promise<Running<ServerSettings>> {
  const { api, bus, clock, edge, log, metrics } = context;
  const data = DataDir.of(environment);
  const manager = givenManager ?? chooseServiceManager(environment, data.socketPath('supervisor'));
  const machine = givenMachine ?? chooseMachine(environment);
  const secret = environment.EDGE_GATEWAY_SECRET ?? ensureSecret(data.gatewaySecretFile);
  if (!(api instanceof HttpApi)) throw new Problem('internal', 'The server needs the HTTP API of the kit itself.');

  const kioskPass = new KioskPass(readKioskPass(data.kioskPassFile, log), clock);
  const auth = openAuth({
    file: join(context.dataDir, 'settings.db'),
    clock,
    log,
    sessionDays: () => context.settings.sessionDays,
    boxNames: [edge.id, edge.name],
    language: readBoxLanguage(data.languageFile),
    display: kioskPass,
    onRefused: (user, address, lockedForS) => context.emit('sign-in-refused', { user, address, lockedForS }),
    onEnded: (grant) => gateway.end(grant),
  });
  const identity = new BoxIdentity({
    edge,
    data,
    environment,
    machine,
    log,
    onChanged: (keys, user) => context.emit('setting-changed', { service: 'edge', keys, user }),
  });
  const registry = new ServiceRegistry({
    edge: edge.id,
    bus,
    clock,
    log,
    manager,
    defaultSocket: (name) => data.socketPath(name),
    ownName: OWN_NAME,
    onLost: (service) => context.emit('service-lost', { service }),
  });
  const recorder = createRecorder({ edge: edge.id, bus, dataDir: context.dataDir, clock, log, metrics, settings: context.settings });
  const gateway = new Gateway({
    identifier: auth.identifier,
    directory: registry,
    own: api.app,
    secret,
    audit: auth.audit,
    metrics: new RequestMetrics(metrics, clock),
    clock,
    log,
    answerWithinMs: (service) => (registry.isAway(service) ? AWAY_ANSWER_WITHIN_MS : ANSWER_WITHIN_MS),
  });
  const documents = new OpenApiDocuments(registry, clock, log);
  const openApi = async () => {
    const parts = await documents.all();
    parts.set(
      OWN_NAME,
      openApiDocument({ name: OWN_NAME, version: VERSION, summary: SUMMARY }, api.operations) as unknown as OpenApiDocument,
    );
    const about = { title: identity.name, version: VERSION, description: `All services of ${edge.id} that run now.` };
    return mergeOpenApi(about, parts, SESSION_COOKIE);
  };
  const find = (name: string) => registry.find(name);
  const front = frontDoor({
    gateway,
    web: new WebUi(locateWebUi(environment)),
    identifier: auth.identifier,
    log,
    publicMetrics: () => context.settings.publicMetrics,
    metrics: () => collectMetrics({ ownName: OWN_NAME, own: metrics, names: () => registry.names(), find, clock, secret }),
    openApi,
  });
  const listener = new PublicListener({
    host: context.settings.host,
    port: context.settings.port,
    clock,
    request: front,
    upgrade: (request, socket, head) => gateway.upgrade(request, socket, head),
  });

  const emit: ServiceContext<ServerSettings>['emit'] = (kind, payload) => context.emit(kind, payload);
  const control = new ServiceControl(manager, clock, log, (restarted) => context.emit('service-restarted', restarted));
  const parts = new Parts(find, secret);
  const backupFolder = join(context.dataDir, 'backup');
  const desk = new BackupDesk({
    folder: backupFolder,
    edge: identity,
    version: VERSION,
    parts,
    restorer: new Restorer({
      parts,
      marker: new Marker(backupFolder),
      clock,
      log,
      services: () => registry.views().map(({ name }) => name),
      restart: async (service) => void (await control.command('restart', service, 'restore')),
    }),
    clock,
    log,
    services: () => registry.views(),
    maxBytes: () => context.settings.maxBackupMb * 1e6,
  });

  serveAuth(api, auth, emit, (wishes, user) => identity.tryChange(wishes, user));
  const kiosk = new KioskDesk({
    facts: auth.facts,
    clock,
    onSilent: (silent) => {
      log.warn(silent, "the box's own display is silent");
      context.emit('kiosk-silent', silent);
    },
    onSeen: (seen) => context.emit('kiosk-seen', seen),
  });
  serveKiosk(api, kiosk, kioskPass);
  serveBox(api, {
    auth,
    registry,
    control,
    logs: new LogStreams(manager, clock),
    recorder,
    kiosk,
    clock,
    edge: identity,
    version: VERSION,
    startedMs: clock.now(),
  });

  const machineDesk = new MachineDesk({
    machine,
    clock,
    log,
    edge: identity,
    version: VERSION,
    startedMs: clock.now(),
    onStopping: (stopping) => context.emit('machine-stopping', stopping),
  });
  const doctor = new DoctorDesk(clock, examineHere(data.root, VERSION));
  serveMachine(api, { machine: machineDesk, identity, doctor });
  const diagnosis = new Diagnosis({
    data,
    clock,
    registry,
    manager,
    machine: machineDesk,
    doctor,
    edge: identity,
    version: VERSION,
    ownName: OWN_NAME,
    ownSettings: () => context.settings,
    secret,
  });
  serveDiagnosis(api, diagnosis, identity, clock);

  serveBackup(api, desk, auth.audit);

  const stop = async () => {
    desk.stop();
    await listener.stop();
    gateway.stop();
    kiosk.stop();
    await registry.stop();
    manager?.close?.();
    machine.close?.();
    await recorder.stop();
    auth.close();
  };
  try {
    await takeAdminPassword(auth.users, environment.EDGE_ADMIN_PASSWORD, log);
    const { users, audit } = auth;
    await takeFirstAdmin({ file: data.firstAdminFile, aside: join(context.dataDir, 'first-admin.refused'), users, audit, log });
    await recorder.start();
    await registry.start();
    await desk.start();
    gateway.start();
    kiosk.start();
    await listener.start();
  } catch (error) {
    await stop();
    throw error;
  }
  log.info({ host: context.settings.host, port: listener.port, setupNeeded: auth.users.setupNeeded }, 'web UI and API are open');
  onListening?.(listener.port);
  void registry.poll();

  return {
    check() {
      auth.check();
      recorder.check();
      if (!listener.listening) throw new Problem('internal', `The public port ${listener.port} is closed.`);
    },
    backup: {
      flush: () => recorder.flush(),
      count: () => ({ people: auth.users.list().length, tokens: auth.tokens.list().length }),
    },
    apply: (settings) => recorder.apply(settings),
    stop,
  };
}

/** On the card image another program makes it, as only root may write there. Without one there is no display, and everything else goes on. */
function readKioskPass(file: string, log: Logger): string | undefined {
  try {
    return ensureSecret(file, KIOSK_PASS_MODE);
  } catch (error) {
    log.warn({ err: error, file }, 'there is no pass for a display');
    return undefined;
  }
}

/** A child of ours must not find the password in its environment; whoever started us knows it. */
async function takeAdminPassword(users: Users, password: string | undefined, log: Logger) {
  if (!password) return;
  delete process.env.EDGE_ADMIN_PASSWORD;
  if (await users.setUpFromEnvironment(password)) log.info('admin password taken from EDGE_ADMIN_PASSWORD');
}
