import { brokerApi, Problem } from '@ledge/contract';
import type { Api, Logger } from '@ledge/kit';
import type { ClientList } from './clients.ts';
import type { Engine } from './engine.ts';
import type { SystemTopics } from './sys.ts';
import type { Users } from './users.ts';

export interface BrokerParts {
  engine: Engine;
  users: Users;
  clients: ClientList;
  sys: SystemTopics;
  log: Logger;
}

/** The broker over HTTP. */
export function serveBroker(api: Api, { engine, users, clients, sys, log }: BrokerParts): void {
  api.handle(brokerApi.users, () => users.list());

  api.handle(brokerApi.addUser, async ({ body: { name, password, rules }, caller }) => {
    if (name.startsWith('ledge-')) {
      throw new Problem('invalid-value', `name is "${name}"; one that does not begin with ledge- is wanted: those are the services' own`);
    }
    const user = await users.put(name, { password, rules });
    const disconnected = await engine.userChanged({
      name,
      ...(password === undefined ? { kind: 'rules' } : { kind: 'password', password }),
    });
    log.info(
      { user: name, by: caller.user, passwordChanged: password !== undefined, rules: user.rules.length, disconnected },
      'MQTT user saved',
    );
    return user;
  });

  api.handle(brokerApi.removeUser, async ({ params: { name }, caller }) => {
    if (!users.remove(name)) throw new Problem('not-found', `there is no MQTT user "${name}"`);
    const disconnected = await engine.userChanged({ name, kind: 'removed' });
    log.info({ user: name, by: caller.user, disconnected }, 'MQTT user removed');
  });

  api.handle(brokerApi.clients, () => clients.list(engine.clients()));

  api.handle(brokerApi.disconnect, async ({ params: { client }, caller }) => {
    if (!(await engine.kick(client, `was disconnected by ${caller.user}`)))
      throw new Problem('not-found', `no client "${client}" is connected`);
    log.info({ client, by: caller.user }, 'MQTT client disconnected');
  });

  api.handle(brokerApi.counters, () => sys.counters());
}
