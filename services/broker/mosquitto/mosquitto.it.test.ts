import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@ledge/testing';
import { connect } from 'mqtt';
import { expect, test } from 'vitest';
import { engineContract } from '../engine-contract.ts';
import { ended, receive, scratch, type TestBroker, testBroker } from '../test-support.ts';
import { mosquittoStand, standOf, TestGuestBook } from './test-support.ts';

engineContract('mosquitto', mosquittoStand, {
  tellsForbidden: false,
  countsOthersOnly: false,
  tlsFailed: /^TLS failed: wrong version number$|Protocol error$/, // by when it notices
});

/** MQTT 3.1.1, clean session 0, client id `keeper`, user `u`, password `p`. */
const CONNECT_KEEPER = Buffer.from('101800044d51545404c0003c00066b6565706572000175000170', 'hex');

const mosquitto = (dir?: string) => testBroker({}, dir, mosquittoStand);
const pidIn = (dir: string) => Number(readFileSync(join(dir, 'mosquitto', 'pid'), 'utf8'));
const joined = (broker: TestBroker, client: string) =>
  until(`${client} to be listed`, () => broker.engine.clients().find((one) => one.client === client && one.connected));

test('MQTT 5 clients come in, too', async () => {
  await using broker = await mosquitto();
  const client = await broker.connect({ protocolVersion: 5 });
  const got = receive(client, 1);
  await client.subscribeAsync('garden/#');
  await client.publishAsync('garden/gate', 'open', { properties: { userProperties: { by: 'anna' } } });
  expect(await got).toEqual(['garden/gate open']);
});

test('clients are listed with user, address and transport, and with a lasting session also when they are away', async () => {
  await using broker = await mosquitto();
  const client = await broker.connect({ clientId: 'keeper', username: 'u', password: 'p', clean: false });
  await broker.connect({ clientId: 'guest' });
  await joined(broker, 'guest');
  expect(broker.engine.clients()).toMatchObject([
    { client: 'keeper', user: 'u', address: '127.0.0.1', transport: 'tcp', connected: true },
    { client: 'guest', address: '127.0.0.1', connected: true },
  ]);
  await client.endAsync();
  await broker.host.until(({ left }) => left.length > 0);
  expect(broker.engine.clients()).toMatchObject([{ client: 'guest' }, { client: 'keeper', connected: false }]);
});

test('users and rules that change leave the connections of others alone', async () => {
  await using broker = await mosquitto();
  const other = await broker.connect({ clientId: 'other', username: 'u', password: 'p' });
  await broker.setRules([{ filter: 'a/#', access: 'both' }]);
  await broker.setRules([{ filter: '#', access: 'both' }]);
  const got = receive(other, 1);
  await other.subscribeAsync('a/b');
  broker.engine.publish('a/b', Buffer.from('still here'));
  expect(await got).toEqual(['a/b still here']);
  expect(broker.host.seen.left).toEqual([]);
});

test('a lasting session of a client that is kicked is there when it comes back, with its queue, and what its rules forbid is not', async () => {
  const guests = new TestGuestBook();
  guests.rulesOf.u = [
    { filter: 'garden/#', access: 'both' },
    { filter: 'garden/secret', access: 'deny' },
  ];
  await using broker = await testBroker({}, undefined, standOf(guests));
  const login = { clientId: 'keeper', username: 'u', password: 'p', clean: false };
  const first = await broker.connect(login);
  await first.subscribeAsync('garden/#', { qos: 1 });
  await first.endAsync();
  const publisher = await broker.connect();
  await publisher.publishAsync('garden/a', 'before', { qos: 1 });
  const second = await broker.raw(); // acknowledges nothing
  second.resume().write(CONNECT_KEEPER);
  await joined(broker, 'keeper');
  const gone = once(second, 'close');
  expect(await broker.engine.kick('keeper', 'was told to go')).toBe(true);
  await gone;
  await publisher.publishAsync('garden/secret', 'not for it', { qos: 1 });
  await publisher.publishAsync('garden/a', 'while away', { qos: 1 });
  const third = connect({ ...login, host: '127.0.0.1', port: broker.port, reconnectPeriod: 0 });
  expect(await receive(third, 2)).toEqual(['garden/a before', 'garden/a while away']);
  await third.endAsync();
});

test("who takes the client id of one of the box's services is disconnected, and told of", async () => {
  await using broker = await mosquitto();
  await broker.addUser('ledge-device', 'secret');
  const intruder = await broker.connect({ clientId: 'ledge-device', username: 'u', password: 'p' });
  await ended(intruder);
  await broker.host.until(({ left }) => left.length > 0);
  const reason = 'has a client id that belongs to ledge-device';
  expect(broker.host.seen.left).toEqual([{ client: 'ledge-device', reason }]);
  expect(broker.host.seen.limited).toEqual([{ client: 'ledge-device', limit: 'clientId', reason }]);
  await broker.connect({ clientId: 'ledge-device', username: 'ledge-device', password: 'secret' });
  await joined(broker, 'ledge-device');
  expect(broker.host.seen.left).toHaveLength(1);
});

test('a changed limit starts it anew: clients come back by themselves, and their sessions are there', async () => {
  await using broker = await mosquitto();
  const client = await broker.connect({ clientId: 'keeper', clean: false });
  await client.subscribeAsync('garden/#', { qos: 1 });
  const gone = ended(client);
  broker.settings.packetBytes = 2048;
  await broker.engine.apply();
  await gone;
  const again = connect({ host: '127.0.0.1', port: broker.port, clientId: 'keeper', clean: false, reconnectPeriod: 0 });
  const got = receive(again, 1);
  const [connack] = await new Promise<[{ sessionPresent: boolean }]>((resolve) => again.once('connect', (...all) => resolve(all)));
  expect(connack.sessionPresent).toBe(true);
  broker.engine.publish('garden/a', Buffer.from('x'));
  expect(await got).toEqual(['garden/a x']);
  await again.endAsync();
  await broker.engine.apply();
  expect(broker.engine.fault).toBeUndefined();
});

test('when it dies that is said, its clients are told as gone, and it is started again with the users of then', async () => {
  using dir = scratch();
  await using broker = await mosquitto(dir.path);
  await broker.connect({ clientId: 'witness' });
  await joined(broker, 'witness');
  const before = pidIn(dir.path);
  process.kill(before, 'SIGKILL');
  const fault = await until('the death to be said', () => broker.engine.fault);
  expect(fault).toBe('mosquitto ended with SIGKILL');
  expect(broker.engine.ports.tcp).toBeUndefined();
  expect(broker.host.seen.left).toEqual([{ client: 'witness', reason: 'the broker ended' }]);
  await broker.addUser('late', 'comer');
  await until('it to run again', () => broker.engine.fault === undefined);
  expect(pidIn(dir.path)).not.toBe(before);
  const late = await broker.connect({ username: 'late', password: 'comer' });
  const got = receive(late, 1);
  await late.subscribeAsync('a');
  broker.engine.publish('a', Buffer.from('x'));
  expect(await got).toEqual(['a x']);
});

test('a start that fails is tried again, until it is possible', async () => {
  using dir = scratch();
  const guests = new TestGuestBook();
  await using broker = await testBroker({}, dir.path, standOf(guests));
  const { read } = guests;
  guests.read = () => Promise.reject(new Error('the disk is full'));
  process.kill(pidIn(dir.path), 'SIGKILL');
  await until('the reason to be said', () => broker.engine.fault === 'mosquitto cannot be started: the disk is full');
  guests.read = read;
  await until('it to run again', () => broker.engine.fault === undefined);
  expect((await broker.connect()).connected).toBe(true);
});

test('no more connections than are allowed are let in, and who is turned away is told', async () => {
  await using broker = await testBroker({ connections: 10 }, undefined, mosquittoStand);
  for (let n = 0; n < 9; n++) await broker.connect(); // the tenth is the engine's own
  await broker.raw();
  await broker.host.until(({ refused }) => refused.length > 0);
  expect(broker.host.seen.refused).toEqual(['as many connections are open as are allowed']);
});
