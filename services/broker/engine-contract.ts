import { readFileSync } from 'node:fs';
import { connect as tcpConnect } from 'node:net';
import { join } from 'node:path';
import { until } from '@ledge/testing';
import { connect, connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import { connackCode, ended, freePort, type MakeStand, RecordingHost, receive, scratch, testBroker, testSettings } from './test-support.ts';

/** MQTT 3.1.1, clean session 0, no client id. */
const CONNECT_NAMELESS = Buffer.from('100c00044d515454040000000000', 'hex');

/** Where an engine may do otherwise; README.md says why. */
export interface Differences {
  /** It tells of messages that rules forbid. */
  tellsForbidden: boolean;
  /** Its counters leave out its own connection. */
  countsOthersOnly: boolean;
  /** How it tells that TLS failed. */
  tlsFailed: RegExp;
}

/** What every engine behind the port must do. Called from its own test file. */
export function engineContract(name: string, make: MakeStand, { tellsForbidden, countsOthersOnly, tlsFailed }: Differences): void {
  test(`${name}: a message reaches a subscriber with QoS 0, 1 and 2`, async () => {
    await using broker = await testBroker({}, undefined, make);
    const subscriber = await broker.connect();
    await subscriber.subscribeAsync('garden/#', { qos: 2 });
    const got = receive(subscriber, 3);
    const publisher = await broker.connect();
    await publisher.publishAsync('garden/a', '0', { qos: 0 });
    await publisher.publishAsync('garden/b', '1', { qos: 1 });
    await publisher.publishAsync('garden/c', '2', { qos: 2 });
    expect(await got).toEqual(['garden/a 0', 'garden/b 1', 'garden/c 2']);
  });

  test(`${name}: a retained message is told to who subscribes later, until it is cleared`, async () => {
    await using broker = await testBroker({}, undefined, make);
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

  test(`${name}: a retained value that changes while it is told never arrives after the new one`, async () => {
    await using broker = await testBroker({}, undefined, make);
    const client = await broker.connect();
    await client.publishAsync('garden/gate', 'old', { qos: 1, retain: true });
    const got: string[] = [];
    client.on('message', (_topic, payload) => got.push(payload.toString()));
    await Promise.all([client.subscribeAsync('garden/+', { qos: 1 }), client.publishAsync('garden/gate', 'new', { qos: 1, retain: true })]);
    const last = receive(client, 1);
    await client.publishAsync('garden/last', 'end', { qos: 1 });
    await last;
    await client.publishAsync('garden/last', 'really', { qos: 1 });
    expect(got.at(got.indexOf('end') - 1)).toBe('new');
    expect(got.slice(got.indexOf('new'))).not.toContain('old');
  });

  test(`${name}: filters that overlap bring a message once, with the highest QoS (aedes #543, #1074)`, async () => {
    await using broker = await testBroker({}, undefined, make);
    const subscriber = await broker.connect({ clean: false, clientId: 'over' });
    await subscriber.subscribeAsync({ 'a/#': { qos: 0 }, 'a/+': { qos: 1 }, 'a/b': { qos: 2 } });
    const publisher = await broker.connect();
    const got: string[] = [];
    subscriber.on('message', (_topic, payload, packet) => got.push(`${payload} ${packet.qos}`));
    const all = receive(subscriber, 4);
    await Promise.all(['1', '2', '3'].map((text) => publisher.publishAsync('a/b', text, { qos: 2 })));
    await publisher.publishAsync('a/last', 'end', { qos: 1 });
    await all;
    const last = receive(subscriber, 1);
    await publisher.publishAsync('a/last', 'really', { qos: 1 });
    await last;
    // the order of messages with different QoS is nobody's promise: MQTT 3.1.1, 4.6
    expect(got.filter((text) => text.endsWith(' 2'))).toEqual(['1 2', '2 2', '3 2']);
    expect(got.filter((text) => text.endsWith(' 1'))).toEqual(['end 1', 'really 1']);
  });

  test(`${name}: a session keeps what comes while its client is away, also across a restart of the broker`, async () => {
    using dir = scratch();
    {
      await using broker = await testBroker({}, dir.path, make);
      const subscriber = await broker.connect({ clean: false, clientId: 'keeper' });
      await subscriber.subscribeAsync('garden/#', { qos: 1 });
      await subscriber.endAsync();
      const publisher = await broker.connect();
      for (const text of ['1', '2', '3']) await publisher.publishAsync('garden/a', text, { qos: 1 });
    }
    await using broker = await testBroker({}, dir.path, make);
    const publisher = await broker.connect();
    await publisher.publishAsync('garden/a', '4', { qos: 1 });
    const subscriber = connect({ host: '127.0.0.1', port: broker.port, clean: false, clientId: 'keeper', reconnectPeriod: 0 });
    const got = receive(subscriber, 4);
    expect(await got).toEqual(['garden/a 1', 'garden/a 2', 'garden/a 3', 'garden/a 4']);
    await subscriber.endAsync();
  });

  test(`${name}: the will is published when a connection breaks, and not after DISCONNECT`, async () => {
    await using broker = await testBroker({}, undefined, make);
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

  test(`${name}: who connects with a client id that is in use takes its place`, async () => {
    await using broker = await testBroker({}, undefined, make);
    const first = await broker.connect({ clientId: 'twin' });
    const gone = ended(first);
    await broker.connect({ clientId: 'twin' });
    await gone;
    expect(broker.host.seen.left).toEqual([{ client: 'twin', reason: 'another client connected with the same client id' }]);
    expect(broker.engine.clients().filter(({ connected }) => connected)).toHaveLength(1);
  });

  test(`${name}: a lasting session without a client id is refused (MQTT-3.1.3-8, aedes #1095)`, async () => {
    await using broker = await testBroker({}, undefined, make);
    const socket = await broker.raw();
    socket.write(CONNECT_NAMELESS);
    expect(await connackCode(socket)).toBe(2);
  });

  test(`${name}: rules are asked for every publish, subscription and delivery, and changes count at once`, async () => {
    await using broker = await testBroker({}, undefined, make);
    await broker.setRules([
      { filter: 'garden/#', access: 'both' },
      { filter: 'garden/secret', access: 'deny' },
    ]);
    const subscriber = await broker.connect();
    expect((await subscriber.subscribeAsync('garden/#', { qos: 1 })).map(({ qos }) => qos)).toEqual([1]);
    await expect(subscriber.subscribeAsync('house/#', { qos: 1 })).rejects.toThrow();
    const got = receive(subscriber, 2);
    const publisher = await broker.connect();
    await publisher.publishAsync('garden/secret', 'held back', { qos: 1 });
    await publisher.publishAsync('house/door', 'not allowed', { qos: 1 });
    await publisher.publishAsync('garden/a', 'allowed', { qos: 1 });
    await broker.setRules([
      { filter: 'garden/#', access: 'both' },
      { filter: 'garden/a', access: 'deny' },
    ]);
    await publisher.publishAsync('garden/a', 'no longer', { qos: 0 });
    await publisher.publishAsync('garden/secret', 'allowed now', { qos: 1 });
    expect(await got).toEqual(['garden/a allowed', 'garden/secret allowed now']);
    if (tellsForbidden) expect(broker.host.seen.limited.map(({ limit }) => limit)).toContain('rules');
  });

  test(`${name}: who is not admitted is refused with the code that says so, and told`, async () => {
    await using broker = await testBroker({}, undefined, make);
    await broker.admitOnly('known', 'x');
    await expect(broker.connect({ username: 'stranger', password: 'x' })).rejects.toMatchObject({ code: 5 });
    await broker.connect({ username: 'known', password: 'x' });
    await broker.host.until(({ refused }) => refused.length > 0);
    expect(broker.host.seen.refused).toHaveLength(1);
  });

  test(`${name}: a kicked client is gone, and the list says since when and why`, async () => {
    await using broker = await testBroker({}, undefined, make);
    const client = await broker.connect({ clientId: 'kicked', username: 'u', password: 'p' });
    const gone = ended(client);
    expect(await broker.engine.kick('kicked', 'was told to go')).toBe(true);
    expect(await broker.engine.kick('nobody', 'was told to go')).toBe(false);
    await gone;
    await broker.host.until(({ left }) => left.length > 0);
    expect(broker.host.seen.left).toEqual([{ client: 'kicked', reason: 'was told to go' }]);
    const other = await broker.connect({ clientId: 'other', username: 'u', password: 'p' });
    const alsoGone = ended(other);
    expect(await broker.remove('u')).toBe(1);
    await alsoGone;
    await broker.host.until(({ left }) => left.length > 1);
    expect(broker.host.seen.left[1]).toEqual({ client: 'other', reason: 'its user was removed' });
  });

  test(`${name}: the engine speaks and listens in its own name, and counts`, async () => {
    await using broker = await testBroker({}, undefined, make);
    const client = await broker.connect();
    const got = receive(client, 1);
    await client.subscribeAsync('garden/hello');
    broker.engine.publish('garden/hello', Buffer.from('1'), { retain: true });
    expect(await got).toEqual(['garden/hello 1']);
    const heard = Promise.withResolvers<string>();
    const stop = await broker.engine.listen('a/+', ({ payload }) => heard.resolve(payload.toString()));
    await client.publishAsync('a/b', 'heard', { qos: 1 });
    expect(await heard.promise).toBe('heard');
    await until('the counters', () => broker.engine.traffic.publishReceived > 0 && broker.engine.levels().retained > 0);
    expect(broker.engine.levels().clientsConnected).toBe(1);
    if (countsOthersOnly) {
      expect(broker.engine.traffic.publishReceived).toBe(1);
      expect(broker.engine.levels()).toMatchObject({ subscriptions: 2, retained: 1 });
    }
    stop();
  });

  test(`${name}: retained messages are forgotten by a filter, and who follows them is told`, async () => {
    await using broker = await testBroker({}, undefined, make);
    const publisher = await broker.connect();
    for (const topic of ['old/a', 'old/b', 'new/a']) await publisher.publishAsync(topic, 'x', { qos: 1, retain: true });
    const follower = await broker.connect();
    const first = receive(follower, 1);
    await follower.subscribeAsync('old/a', { qos: 1 });
    await first;
    const told = receive(follower, 1);
    expect(await broker.engine.clearRetained('old/#')).toBe(2);
    expect(await told).toEqual(['old/a ']);
    expect(await broker.engine.clearRetained('#')).toBe(1);
  });

  test(`${name}: the same client works over TLS, WebSocket and secure WebSocket, with a certificate made at the first start`, async () => {
    using dir = scratch();
    const [tlsPort, webSocketPort, secureWebSocketPort] = [await freePort(), await freePort(), await freePort()];
    await using broker = await testBroker({ tlsPort, webSocketPort, secureWebSocketPort }, dir.path, make);
    const ca = readFileSync(join(dir.path, 'broker-certificate.pem'));
    const listener = await broker.connect({ clientId: 'listener' });
    await listener.subscribeAsync('via/#');
    const urls = [`mqtts://localhost:${tlsPort}`, `ws://127.0.0.1:${webSocketPort}/mqtt`, `wss://localhost:${secureWebSocketPort}/mqtt`];
    for (const url of urls) {
      const got = receive(listener, 1);
      const client = await connectAsync(url, { ca, reconnectPeriod: 0 });
      await client.publishAsync('via/it', url, { qos: 1 });
      expect(await got).toEqual([`via/it ${url}`]);
      await client.endAsync();
    }
    expect(broker.engine.ports).toEqual({ tcp: broker.port, tls: tlsPort, webSocket: webSocketPort, secureWebSocket: secureWebSocketPort });
  });

  test(`${name}: a client that speaks plain MQTT to the TLS port is refused in words that people understand`, async () => {
    const tlsPort = await freePort();
    await using broker = await testBroker({ tlsPort }, undefined, make);
    const socket = tcpConnect(tlsPort, '127.0.0.1', () => socket.write(Buffer.from('100c00044d51545404020000', 'hex')));
    await broker.host.until(({ refused }) => refused.length > 0);
    socket.destroy();
    expect(broker.host.seen.refused[0]).toMatch(tlsFailed);
  });

  test(`${name}: a port that is in use is a problem that says how to choose another`, async () => {
    await using broker = await testBroker({}, undefined, make);
    using dir = scratch();
    const { engine } = make(dir.path, () => testSettings({ port: broker.port }), new RecordingHost());
    await expect(engine.start()).rejects.toMatchObject({ code: 'port-taken', message: expect.stringContaining('EDGE_MQTT_PORT') });
    await engine.stop();
  });

  test(`${name}: who sends a packet that is too large is disconnected, and that is why`, async () => {
    await using broker = await testBroker({ packetBytes: 2048 }, undefined, make);
    const client = await broker.connect({ clientId: 'big' });
    const gone = ended(client);
    client.publish('a', Buffer.alloc(3000));
    await gone;
    await broker.host.until(({ left }) => left.length > 0);
    expect(broker.host.seen.left[0]?.reason).toMatch(/packet/);
  });
}
