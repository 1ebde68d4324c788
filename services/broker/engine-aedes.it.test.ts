import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'mqtt';
import { expect, test } from 'vitest';
import { ended, receive, testBroker } from './test-support.ts';

test('a message reaches a subscriber with QoS 0, 1 and 2', async () => {
  await using broker = await testBroker();
  const subscriber = await broker.connect();
  await subscriber.subscribeAsync('garden/#', { qos: 2 });
  const got = receive(subscriber, 3);
  const publisher = await broker.connect();
  await publisher.publishAsync('garden/a', '0', { qos: 0 });
  await publisher.publishAsync('garden/b', '1', { qos: 1 });
  await publisher.publishAsync('garden/c', '2', { qos: 2 });
  expect(await got).toEqual(['garden/a 0', 'garden/b 1', 'garden/c 2']);
});

test('a retained message is told to who subscribes later, until it is cleared', async () => {
  await using broker = await testBroker();
  const publisher = await broker.connect();
  await publisher.publishAsync('garden/gate', 'open', { qos: 1, retain: true });
  const first = await broker.connect();
  const got = receive(first, 1);
  await first.subscribeAsync('garden/+', { qos: 1 });
  expect(await got).toEqual(['garden/gate open']);
  await publisher.publishAsync('garden/gate', '', { qos: 1, retain: true });
  const second = await broker.connect();
  const next = receive(second, 1);
  await second.subscribeAsync('garden/#', { qos: 1 });
  await publisher.publishAsync('garden/other', 'x', { qos: 1 });
  expect(await next).toEqual(['garden/other x']);
});

test('filters that overlap bring a message once, with the highest QoS (aedes #543, #1074)', async () => {
  await using broker = await testBroker();
  const subscriber = await broker.connect({ clean: false, clientId: 'over' });
  await subscriber.subscribeAsync({ 'a/#': { qos: 0 }, 'a/+': { qos: 1 }, 'a/b': { qos: 2 } });
  const publisher = await broker.connect();
  const got: string[] = [];
  subscriber.on('message', (_topic, payload, packet) => got.push(`${payload} ${packet.qos}`));
  await Promise.all(['1', '2', '3'].map((text) => publisher.publishAsync('a/b', text, { qos: 2 })));
  const last = receive(subscriber, 1);
  await publisher.publishAsync('a/last', 'end', { qos: 1 });
  await last;
  expect(got).toEqual(['1 2', '2 2', '3 2', 'end 1']);
});

test('a session keeps what comes while its client is away, also across a restart of the broker', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ledge-broker-'));
  try {
    {
      await using broker = await testBroker({}, dir);
      const subscriber = await broker.connect({ clean: false, clientId: 'keeper' });
      await subscriber.subscribeAsync('garden/#', { qos: 1 });
      await subscriber.endAsync();
      const publisher = await broker.connect();
      for (const text of ['1', '2', '3']) await publisher.publishAsync('garden/a', text, { qos: 1 });
    }
    await using broker = await testBroker({}, dir);
    const publisher = await broker.connect();
    await publisher.publishAsync('garden/a', '4', { qos: 1 });
    const subscriber = connect({ host: '127.0.0.1', port: broker.port, clean: false, clientId: 'keeper', reconnectPeriod: 0 });
    const got = receive(subscriber, 4);
    expect(await got).toEqual(['garden/a 1', 'garden/a 2', 'garden/a 3', 'garden/a 4']);
    await subscriber.endAsync();
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('the will is published when a connection breaks, and not after DISCONNECT', async () => {
  await using broker = await testBroker();
  const watcher = await broker.connect();
  await watcher.subscribeAsync('will/#', { qos: 1 });
  const polite = await broker.connect({ clientId: 'polite', will: { topic: 'will/polite', payload: Buffer.from('gone'), qos: 1 } });
  const rude = await broker.connect({ clientId: 'rude', will: { topic: 'will/rude', payload: Buffer.from('gone'), qos: 1 } });
  const got = receive(watcher, 1);
  await polite.endAsync();
  await broker.host.until((seen) => seen.left.some(({ client }) => client === 'polite'));
  rude.stream.destroy();
  expect(await got).toEqual(['will/rude gone']);
  expect(broker.host.seen.left.find(({ client }) => client === 'polite')?.reason).toBe('said goodbye');
});

test('who connects with a client id that is in use takes its place', async () => {
  await using broker = await testBroker();
  const first = await broker.connect({ clientId: 'twin' });
  const gone = ended(first);
  await broker.connect({ clientId: 'twin' });
  await gone;
  expect(broker.host.seen.left).toEqual([{ client: 'twin', reason: 'another client connected with the same client id' }]);
  expect(broker.engine.clients().filter(({ connected }) => connected)).toHaveLength(1);
});
