import { until } from '@ledge/testing';
import { connect, connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import { AS_GARDENER, GARDENER, mosquitto, service } from './service-test-support.ts';
import { scratch } from './test-support.ts';

/** mosquitto tells its counters every 10 s. */
const COUNTED_WITHIN_MS = 20_000;

/** Where engines may answer otherwise; README.md says why. */
export interface Answers {
  /** MQTT 3.1.1, 3.2.2.3: to a wrong password. */
  wrongPassword: number;
  /** `$SYS/broker/version`. */
  version: RegExp;
}

/** What the service must do with every engine. Called from a test file. */
export function serviceContract(engine: 'aedes' | 'mosquitto', { wrongPassword, version }: Answers): void {
  const environment = { EDGE_BROKER_ENGINE: engine };

  test(`${engine}: a user that is made through the API comes in and receives; nobody else does; outside its rules it is refused`, async () => {
    using dir = scratch();
    await using broker = await service(dir.path, environment);
    expect(await broker.call('POST', '/users', GARDENER)).toMatchObject({ status: 200 });
    expect((await broker.call('GET', '/users')).body).toBe(JSON.stringify([{ name: 'gardener', rules: GARDENER.rules }]));

    const published = await mosquitto('mosquitto_pub', broker.port, ...AS_GARDENER, '-t', 'garden/gate', '-m', 'open', '-r', '-q', '1')
      .outcome;
    expect(published).toMatchObject({ code: 0 });
    const received = mosquitto('mosquitto_sub', broker.port, ...AS_GARDENER, '-t', 'garden/#', '-C', '1', '-v');
    expect(await received.outcome).toMatchObject({ code: 0, out: 'garden/gate open\n' });

    const anonymous = await mosquitto('mosquitto_sub', broker.port, '-t', 'garden/#').outcome;
    expect(anonymous).toMatchObject({ code: 5, err: expect.stringContaining('not authorised') });
    const wrong = await mosquitto('mosquitto_sub', broker.port, '-u', 'gardener', '-P', 'red tomatoes', '-t', 'garden/#').outcome;
    expect(wrong).toMatchObject({ code: wrongPassword });
    const outside = await mosquitto('mosquitto_sub', broker.port, ...AS_GARDENER, '-t', 'house/#').outcome;
    expect(outside).toMatchObject({ err: expect.stringContaining('denied') });
  });

  test(`${engine}: when a user is removed, or its password changes, its clients are disconnected`, async () => {
    using dir = scratch();
    await using broker = await service(dir.path, environment);
    await broker.call('POST', '/users', GARDENER);
    for (const end of [
      () => broker.call('POST', '/users', { name: 'gardener', password: 'another one' }),
      () => broker.call('DELETE', '/users/gardener'),
    ]) {
      const client = await connectAsync({
        port: broker.port,
        host: '127.0.0.1',
        clientId: 'shears',
        username: 'gardener',
        password: broker.log.some(({ passwordChanged }) => passwordChanged === true) ? 'green tomatoes' : '',
        reconnectPeriod: 0,
      });
      const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
      expect((await end()).status).toBeLessThan(300);
      await gone;
      await broker.call('POST', '/users', GARDENER);
    }
    const list = JSON.parse((await broker.call('GET', '/clients')).body) as { client: string; lastLeft?: { reason: string } }[];
    expect(list.find(({ client }) => client === 'shears')?.lastLeft?.reason).toBe('its user was removed');
  });

  test.each(['a/b c', '50%2Fx', 'Küche ☃', '?#&', "o'clock"])(
    `${engine}: a client whose id is %j is listed and can be disconnected`,
    async (clientId) => {
      using dir = scratch();
      await using broker = await service(dir.path, environment);
      await broker.call('POST', '/users', GARDENER);
      const login = { username: 'gardener', password: 'green tomatoes', reconnectPeriod: 0 };
      const client = await connectAsync({ port: broker.port, host: '127.0.0.1', clientId, ...login });
      const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
      expect(JSON.parse((await broker.call('GET', '/clients')).body)).toContainEqual(expect.objectContaining({ client: clientId }));
      expect((await broker.call('DELETE', `/clients/${encodeURIComponent(clientId)}`)).status).toBe(204);
      await gone;
      expect((await broker.call('DELETE', `/clients/${encodeURIComponent(clientId)}`)).status).toBe(404);
    },
  );

  test(`${engine}: retained messages of devices that are gone are forgotten when that is asked for, never those of this box`, async () => {
    using dir = scratch();
    await using broker = await service(dir.path, environment);
    await broker.call('POST', '/users', GARDENER);
    const login = { username: 'gardener', password: 'green tomatoes', reconnectPeriod: 0 };
    const client = await connectAsync({ port: broker.port, host: '127.0.0.1', ...login });
    const publish = (topic: string) => client.publishAsync(topic, 'x', { retain: true, qos: 1 });
    await Promise.all(['garden/old/a', 'garden/old/b', 'garden/new'].map(publish));
    const forget = (filter: string) => broker.call('POST', '/actions/forget-retained', { filter });
    expect(await forget('garden/old/#')).toMatchObject({ status: 200, body: '{"result":"2 retained messages were forgotten"}' });
    expect((await forget('garden/#')).body).toContain('1 retained');
    for (const own of ['#', 'ledge-test/5/x/$state', '+/service/#']) expect(await forget(own)).toMatchObject({ status: 400 });
    expect((await forget('a/#/b')).body).toContain('invalid-value');
    expect(JSON.parse((await broker.call('GET', '/actions')).body)).toMatchObject([
      { name: 'forget-retained', input: { required: ['filter'] } },
    ]);
    await client.endAsync();
  });

  test(`${engine}: retained messages and sessions are there after kill -9`, async () => {
    using dir = scratch();
    {
      await using broker = await service(dir.path, environment);
      await broker.call('POST', '/users', GARDENER);
      const login = { port: broker.port, host: '127.0.0.1', username: 'gardener', password: 'green tomatoes', reconnectPeriod: 0 };
      const keeper = await connectAsync({ ...login, clientId: 'keeper', clean: false });
      await keeper.subscribeAsync('garden/#', { qos: 1 });
      keeper.end(true);
      const publisher = await connectAsync(login);
      await publisher.publishAsync('garden/gate', 'open', { qos: 1, retain: true });
      publisher.end(true);
      await broker.kill();
    }
    await using broker = await service(dir.path, { ...environment, EDGE_BROKER_QUEUE_WRITE_DELAY_MS: '0' });
    const received = mosquitto('mosquitto_sub', broker.port, ...AS_GARDENER, '-t', 'garden/#', '-C', '1', '-v');
    expect(await received.outcome).toMatchObject({ code: 0, out: 'garden/gate open\n' });
    const login = { port: broker.port, host: '127.0.0.1', username: 'gardener', password: 'green tomatoes', reconnectPeriod: 0 };
    const publisher = await connectAsync(login);
    await publisher.publishAsync('garden/gate', 'shut', { qos: 1 });
    publisher.end(true);
    await broker.kill();

    await using again = await service(dir.path, environment);
    const keeper = connect({ ...login, port: again.port, clientId: 'keeper', clean: false });
    await new Promise<void>((resolve) => keeper.on('message', (_topic, payload) => payload.toString() === 'shut' && resolve()));
    keeper.end(true);
  });

  test(`${engine}: a service of the box comes in with the secret that lies in its file, and with the rights of its kind`, async () => {
    using dir = scratch();
    await using broker = await service(dir.path, environment);
    const device = await connectAsync({
      port: broker.port,
      host: '127.0.0.1',
      username: 'ledge-device',
      password: 'secret of device',
      reconnectPeriod: 0,
    });
    await expect(device.subscribeAsync('ledge-test/5/+/+/+/set', { qos: 1 })).resolves.toHaveLength(1);
    await expect(device.subscribeAsync('$SYS/#')).rejects.toThrow();
    device.end(true);
    const impostor = {
      port: broker.port,
      host: '127.0.0.1',
      username: 'ledge-../mqtt/device',
      password: 'secret of device',
      reconnectPeriod: 0,
    };
    await expect(connectAsync(impostor)).rejects.toMatchObject({ code: wrongPassword });
  });

  test(`${engine}: the counters are told below $SYS, over HTTP and to Prometheus`, async () => {
    using dir = scratch();
    await using broker = await service(dir.path, environment);
    await broker.call('POST', '/users', { ...GARDENER, rules: [{ filter: '$SYS/#', access: 'subscribe' }] });
    const received = mosquitto('mosquitto_sub', broker.port, ...AS_GARDENER, '-t', '$SYS/broker/version', '-C', '1');
    expect((await received.outcome).out).toMatch(version);
    const counters = await until(
      'counters that count',
      async () => {
        const told = JSON.parse((await broker.call('GET', '/counters')).body) as Record<string, number>;
        return (told['messages/received'] ?? 0) > 2 && told;
      },
      COUNTED_WITHIN_MS,
    );
    expect(counters['load/bytes/sent/15min']).toBeTypeOf('number');
    expect((await broker.call('GET', '/metrics')).body).toMatch(/^mqtt_broker_clients_connected\{service="broker"\} \d/m);
    expect(JSON.parse((await broker.call('GET', '/health')).body)).toMatchObject({ state: 'ready' });
  });
}
