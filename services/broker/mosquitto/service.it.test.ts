import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { until } from '@ledge/testing';
import { connectAsync, type MqttClient } from 'mqtt';
import { expect, test } from 'vitest';
import { serviceContract } from '../service-contract.ts';
import { GARDENER, type Service, service } from '../service-test-support.ts';
import { ended, receive, scratch } from '../test-support.ts';

serviceContract('mosquitto', { wrongPassword: 5, version: /^mosquitto version \d/ });

const MOSQUITTO = { EDGE_BROKER_ENGINE: 'mosquitto' };
const AT_ONCE_MS = 1000;

const login = ({ port }: Service, username: string, password: string, clientId?: string): Promise<MqttClient> =>
  connectAsync({ host: '127.0.0.1', port, username, password, reconnectPeriod: 0, ...(clientId ? { clientId } : {}) });
const asGardener = (broker: Service) => login(broker, GARDENER.name, GARDENER.password);
const pidIn = (dir: string) => Number(readFileSync(join(dir, 'broker', 'mosquitto', 'pid'), 'utf8'));
const runs = (pid: number) => {
  try {
    return /^State:\s+[^Z]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

test('rules that change through the API count within a second, and nobody is disconnected', async () => {
  using dir = scratch();
  await using broker = await service(dir.path, MOSQUITTO);
  await broker.call('POST', '/users', GARDENER);
  const client = await asGardener(broker);
  client.on('close', () => expect.unreachable('it is disconnected'));
  await expect(client.subscribeAsync('house/#')).rejects.toThrow();
  const startMs = performance.now();
  await broker.call('POST', '/users', { name: 'gardener', rules: [{ filter: 'house/#', access: 'both' }] });
  await client.subscribeAsync('house/#');
  expect(performance.now() - startMs).toBeLessThan(AT_ONCE_MS);
  await expect(client.subscribeAsync('garden/a')).rejects.toThrow();
  client.removeAllListeners('close');
  client.end(true);
});

test('a service that is new comes in within a second of its secret being there', async () => {
  using dir = scratch();
  await using broker = await service(dir.path, MOSQUITTO);
  await expect(login(broker, 'ledge-hello', 'its secret')).rejects.toThrow();
  writeFileSync(join(dir.path, 'secrets', 'mqtt', 'hello'), 'its secret\n');
  const hello = await until('it to be let in', () => login(broker, 'ledge-hello', 'its secret'), AT_ONCE_MS);
  await expect(hello.subscribeAsync('ledge-test/5/#')).resolves.toHaveLength(1);
  await expect(hello.subscribeAsync('$SYS/#')).rejects.toThrow();
  hello.end(true);
});

test('a wrong password is told as an event, with the address', async () => {
  using dir = scratch();
  await using broker = await service(dir.path, MOSQUITTO);
  await broker.call('POST', '/users', GARDENER);
  const device = await login(broker, 'ledge-device', 'secret of device');
  await device.subscribeAsync('ledge-test/event/client-refused');
  const told = receive(device, 1);
  await expect(login(broker, 'gardener', 'red tomatoes')).rejects.toThrow();
  expect(JSON.parse((await told)[0]?.replace(/^\S+ /, '') ?? '')).toMatchObject({
    address: '127.0.0.1',
    reason: 'gave a wrong name or password, or none',
  });
  device.end(true);
});

test('a user that was made with aedes comes in with mosquitto, and one from before it could needs a new password', async () => {
  using dir = scratch();
  {
    await using broker = await service(dir.path);
    await broker.call('POST', '/users', GARDENER);
    await broker.call('POST', '/users', { ...GARDENER, name: 'old' });
  }
  const db = new DatabaseSync(join(dir.path, 'broker', 'users.db'));
  db.exec("DELETE FROM mosquitto_hash WHERE name = 'old'");
  db.close();
  await using broker = await service(dir.path, MOSQUITTO);
  (await asGardener(broker)).end(true);
  expect(JSON.parse((await broker.call('GET', '/users')).body)).toMatchObject([{ name: 'gardener' }, { name: 'old', needsPassword: true }]);
  expect(broker.log.some(({ users }) => Array.isArray(users) && users.includes('old'))).toBe(true);
  await expect(login(broker, 'old', GARDENER.password)).rejects.toThrow();
  const { body } = await broker.call('POST', '/users', { name: 'old', password: 'a new password' });
  expect(JSON.parse(body)).toEqual({ name: 'old', rules: GARDENER.rules });
  (await login(broker, 'old', 'a new password')).end(true);
});

test('what lies on the disk is for its owner alone, and each password of a user is hashed as strongly as at the start', async () => {
  using dir = scratch();
  await using broker = await service(dir.path, MOSQUITTO);
  await broker.call('POST', '/users', GARDENER);
  const file = join(dir.path, 'broker', 'mosquitto', 'security.json');
  const { clients } = JSON.parse(readFileSync(file, 'utf8')) as { clients: { username: string; iterations: number }[] };
  expect(clients.find(({ username }) => username === 'gardener')?.iterations).toBeGreaterThanOrEqual(20_000);
  const folder = join(dir.path, 'broker', 'mosquitto');
  for (const name of readdirSync(folder)) expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
});

test('after kill -9 of the service no mosquitto stays behind', async () => {
  using dir = scratch();
  const broker = await service(dir.path, MOSQUITTO);
  const pid = pidIn(dir.path);
  expect(runs(pid)).toBe(true);
  await broker.kill();
  await until('mosquitto to be gone', () => !runs(pid), 5000);
});

test('one that was left behind and hangs is ended, so that the next has its port', async () => {
  using dir = scratch();
  const before = await service(dir.path, MOSQUITTO);
  const pid = pidIn(dir.path);
  process.kill(pid, 'SIGSTOP');
  await before.kill();
  expect(runs(pid)).toBe(true);
  await using broker = await service(dir.path, { ...MOSQUITTO, EDGE_MQTT_PORT: String(before.port) });
  expect(runs(pid)).toBe(false);
  expect(pidIn(dir.path)).not.toBe(pid);
  (await login(broker, 'ledge-device', 'secret of device')).end(true);
});

test('when mosquitto dies the service says so, and is well again soon', async () => {
  using dir = scratch();
  await using broker = await service(dir.path, MOSQUITTO);
  const device = await login(broker, 'ledge-device', 'secret of device');
  const gone = ended(device);
  process.kill(pidIn(dir.path), 'SIGKILL');
  await gone;
  (await until('it to let us in again', () => login(broker, 'ledge-device', 'secret of device'))).end(true);
  expect(broker.log.find(({ msg }) => String(msg).startsWith('mosquitto died'))).toMatchObject({ fault: 'mosquitto ended with SIGKILL' });
});
