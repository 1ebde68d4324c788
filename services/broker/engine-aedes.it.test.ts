import { once } from 'node:events';
import { expect, test } from 'vitest';
import { engineContract } from './engine-contract.ts';
import { aedesStand, connackCode, testBroker } from './test-support.ts';

engineContract('aedes', aedesStand, { tellsForbidden: true, countsOthersOnly: true, tlsFailed: /^TLS failed: wrong version number$/ });

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
