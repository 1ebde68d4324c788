import { join } from 'node:path';
import type { BrokerClient } from '@ledge/contract';
import { defineService, type ServiceContext } from '@ledge/kit';
import { Accounts } from './accounts.ts';
import { brokerActions } from './actions.ts';
import { ClientList } from './clients.ts';
import { type BrokerSettings, brokerSettings } from './config.ts';
import type { ClientFacts, Engine, EngineHost } from './engine.ts';
import { Seldom } from './limits.ts';
import { precious } from './precious.ts';
import { serveBroker } from './routes.ts';
import { SelfTest } from './self-test.ts';
import { SystemTopics } from './sys.ts';
import { readCertificate } from './tls.ts';
import { Users } from './users.ts';

/** The same client and reason are told once in this time, with how many were kept back. */
const TELL_EVERY_MS = 10_000;
/** And no more than this of all: strangers can make up as many names as they like. */
const TELL_MOST = 50;

/** Logs what happens at the doors, and says events; a flood of refusals must not become a flood of those. */
class Doorman implements EngineHost {
  readonly #context: ServiceContext<BrokerSettings>;
  readonly #clients: ClientList;
  readonly #refusals: Seldom;
  readonly #limits: Seldom;
  readonly authenticate: EngineHost['authenticate'];

  constructor(context: ServiceContext<BrokerSettings>, accounts: Accounts, clients: ClientList) {
    this.#context = context;
    this.#clients = clients;
    this.#refusals = new Seldom(context.clock, TELL_EVERY_MS, TELL_MOST);
    this.#limits = new Seldom(context.clock, TELL_EVERY_MS, TELL_MOST);
    this.authenticate = (credentials) => accounts.admit(credentials);
  }

  joined({ client, user, address, transport }: BrokerClient): void {
    this.#context.log.debug({ client, user, address, transport }, 'client connected');
  }

  left(client: BrokerClient, reason: string): void {
    this.#clients.left(client, reason);
    this.#context.log.debug({ client: client.client, user: client.user, address: client.address, reason }, 'client left');
  }

  refused(facts: ClientFacts, reason: string): void {
    const kept = this.#refusals.ask(`${facts.address} ${facts.user} ${kindOf(reason)}`);
    if (kept === undefined) return;
    this.#context.log.warn({ ...facts, reason, kept }, 'client refused');
    this.#context.emit('client-refused', { ...facts, reason });
  }

  limited(facts: ClientFacts, limit: string, reason: string): void {
    const kept = this.#limits.ask(`${facts.client} ${limit}`);
    if (kept === undefined) return;
    this.#context.log.warn({ ...facts, limit, reason, kept }, 'client limited');
    this.#context.emit('client-limited', { ...facts, limit, reason });
  }
}

/** A reason without its numbers and names: what one flood repeats. */
const kindOf = (reason: string) => reason.split(' ').slice(0, 4).join(' ');

export const broker = defineService({
  name: 'broker',
  version: '0.1.0',
  summary: 'The MQTT broker: users, access rules, listeners and counters',
  settings: brokerSettings,
  precious,
  async start(context) {
    const { api, clock, dataDir, dataRoot, edge, log, metrics, random } = context;
    const settings = () => context.settings;
    const secretsDir = join(dataRoot, 'secrets');
    const users = new Users(join(dataDir, 'users.db'), settings().engine);
    const accounts = new Accounts(users, join(secretsDir, 'mqtt'), edge.id, settings, clock);
    const clients = new ClientList(clock);
    const certificate = () => readCertificate(settings(), secretsDir, edge.id, clock, log);
    const host = new Doorman(context, accounts, clients);
    const makeEngine = async (): Promise<Engine> => {
      // only what is used is loaded
      if (settings().engine === 'mosquitto') {
        const { MosquittoEngine, BoxGuestBook } = await import('./mosquitto/index.ts');
        const guests = new BoxGuestBook(users, join(secretsDir, 'mqtt'), edge.id, settings, clock);
        return new MosquittoEngine({ dir: join(dataDir, 'mosquitto'), settings, certificate, guests, host, ports: { clock, random, log } });
      }
      const { AedesEngine } = await import('./engine-aedes.ts');
      return new AedesEngine(join(dataDir, 'sessions.db'), settings, certificate, host, { clock, log });
    };
    const engine = await makeEngine();

    users.open();
    const shutOut = users.list().flatMap(({ name, needsPassword }) => (needsPassword ? [name] : []));
    if (shutOut.length > 0) log.warn({ users: shutOut }, 'nobody comes in as these users until their passwords are set again');
    try {
      await engine.start();
    } catch (error) {
      users.close();
      throw error;
    }
    const sys = new SystemTopics(engine, engine.version, clock);
    const selfTest = new SelfTest(engine, clock);
    sys.start();
    sys.register(metrics);
    serveBroker(api, { engine, users, clients, sys, log });
    log.info({ host: context.settings.host, ...engine.ports }, 'MQTT listens');

    return {
      check: () => selfTest.run(),
      backup: { count: () => ({ users: users.list().length }) },
      async apply() {
        accounts.applySettings();
        await engine.apply();
      },
      actions: brokerActions(engine, edge.id),
      async stop() {
        sys.stop();
        await engine.stop();
        users.close();
      },
    };
  },
});
