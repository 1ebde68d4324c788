import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import { engineContract } from './engine-contract.ts';
import { aedesStand, connackCode, freePort, makeAedes, RecordingHost, receive, scratch, testBroker, testSettings } from './test-support.ts';

engineContract('aedes', aedesStand, { tellsForbidden: true, countsOthersOnly: true });

test('the same client works over TLS, WebSocket and secure WebSocket, with a certificate made at the first start', async () => {
  using dir = scratch();
  const [tlsPort, webSocketPort, secureWebSocketPort] = [await freePort(), await freePort(), await freePort()];
  await using broker = await testBroker({ tlsPort, webSocketPort, secureWebSocketPort }, dir.path);
  const ca = readFileSync(join(dir.path, 'broker-certificate.pem'));
  const listener = await broker.connect();
  await listener.subscribeAsync('via/#');
  const urls = [`mqtts://localhost:${tlsPort}`, `ws://127.0.0.1:${webSocketPort}/mqtt`, `wss://localhost:${secureWebSocketPort}/mqtt`];
  for (const url of urls) {
    const got = receive(listener, 1);
    const client = await connectAsync(url, { ca, reconnectPeriod: 0 });
    await client.publishAsync('via/it', url, { qos: 1 });
    expect(await got).toEqual([`via/it ${url}`]);
    await client.endAsync();
  }
});

test('a port that is in use is a problem that says how to choose another', async () => {
  await using broker = await testBroker();
  using dir = scratch();
  const second = makeAedes(dir.path, () => testSettings({ port: broker.port }), new RecordingHost());
  await expect(second.start()).rejects.toMatchObject({ code: 'port-taken', message: expect.stringContaining('EDGE_MQTT_PORT') });
});

test('MQTT 5 is refused with code 1, and the reason says why', async () => {
  await using broker = await testBroker();
  await expect(broker.connect({ protocolVersion: 5 })).rejects.toThrow(/protocol version/);
  await broker.host.until(({ refused }) => refused.length > 0);
  expect(broker.host.seen.refused).toEqual(['speaks MQTT 5; this engine speaks 3.1 and 3.1.1']);
});

test('a socket that never says CONNECT is closed, also when it goes on sending crumbs of one', async () => {
  await using broker = await testBroker({ connectTimeoutS: 1 });
  const socket = await broker.raw();
  const ended = connackCode(socket);
  socket.write(Buffer.from([0x10, 0x7f]));
  const crumbs = setInterval(() => socket.write(Buffer.alloc(1)), 100);
  expect(await ended).toBeUndefined();
  clearInterval(crumbs);
  expect(broker.host.seen.refused).toEqual(['sent no CONNECT within 1 s']);
});

test('the time that a password takes to be checked does not count as time without a CONNECT', async () => {
  await using broker = await testBroker({ connectTimeoutS: 1 });
  const checked = Promise.withResolvers<typeof broker.host.rights>();
  broker.host.admit = ({ user }) => (user === 'patient' ? checked.promise : broker.host.rights);
  const coming = broker.connect({ username: 'patient', password: 'x' });
  const silent = await broker.raw();
  await once(silent, 'close'); // it came later, and its time is over
  checked.resolve(broker.host.rights);
  expect((await coming).connected).toBe(true);
  expect(broker.host.seen.refused).toEqual(['sent no CONNECT within 1 s']);
});

test('a client that speaks plain MQTT to the TLS port is refused in words that people understand', async () => {
  const tlsPort = await freePort();
  await using broker = await testBroker({ tlsPort });
  const socket = connect(tlsPort, '127.0.0.1', () => socket.write(Buffer.from('100c00044d51545404020000', 'hex')));
  await broker.host.until(({ refused }) => refused.length > 0);
  socket.destroy();
  expect(broker.host.seen.refused).toEqual(['TLS failed: wrong version number']);
});
