import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { MqttBus, systemClock } from '@ledge/kit';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { systemProcesses } from '../processes.ts';
import { mqtt } from './mqtt.ts';
import { environment, open, RecordingSink, temporaryDirectory } from './test-tools.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A real mosquitto on loopback, with our bus and the plug's on it. */
async function broker() {
  const port = await freePort();
  const folder = await temporaryDirectory();
  await writeFile(join(folder, 'conf'), `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const mosquitto = spawn('mosquitto', ['-c', join(folder, 'conf')], { stdio: 'ignore' });
  onTestFinished(async () => {
    if (mosquitto.exitCode === null && mosquitto.kill()) await once(mosquitto, 'exit');
  });
  await writeFile(join(folder, 'password'), 'none');
  const connect = async (clientId: string) => {
    const bus = new MqttBus({
      url: `mqtt://127.0.0.1:${port}`,
      clientId,
      username: clientId,
      passwordFile: join(folder, 'password'),
      will: undefined,
      clock: systemClock,
      random: Math.random,
      log: pino({ level: 'silent' }),
    });
    bus.start();
    onTestFinished(() => bus.stop());
    await new Promise<void>((resolve) => bus.onConnect(resolve));
    return bus;
  };
  return { bus: await connect('device'), plug: await connect('plug'), port: String(port) };
}

test('a plug on a real broker is heard, with what the broker kept, and answers its command', async () => {
  const { bus, plug, port } = await broker();
  const say = async (topic: string, payload: string, ...more: string[]) => {
    const { code } = await systemProcesses.spawn('mosquitto_pub', ['-p', port, '-t', topic, '-m', payload, '-q', '1', ...more]).ended;
    expect(code).toBe(0);
  };
  await say('tele/washer/LWT', 'Online', '-r');
  await plug.subscribe('cmnd/washer/POWER', ({ payload }) => void plug.publish('stat/washer/POWER', payload));

  const sink = new RecordingSink();
  const properties = {
    power: { datatype: 'float' as const, source: { topic: 'tele/washer/SENSOR', value: 'ENERGY.Power' } },
    on: {
      datatype: 'boolean' as const,
      settable: true,
      source: { topic: 'stat/washer/POWER', on: 'ON', off: 'OFF', command: { topic: 'cmnd/washer/POWER' } },
    },
  };
  const options = { availability: { topic: 'tele/washer/LWT', online: 'Online', offline: 'Offline' } };
  const thing = await open(mqtt, { options, properties }, environment({ bus, clock: systemClock }), sink);
  await sink.until(() => sink.states.includes('ready'));

  await say('tele/washer/SENSOR', '{"ENERGY":{"Power":42.5}}');
  await sink.until(() => sink.values.length === 1);
  expect(sink.values).toEqual([['power', 42.5]]);

  expect(await thing.write('on', true, AbortSignal.timeout(10_000))).toBe(true);
});
