import { driverContract } from '@ledge/sdk/testing.ts';
import { type MemoryBus, memoryBus } from '@ledge/testing';
import { expect, test } from 'vitest';
import { mqtt } from './mqtt.ts';
import { environment, never, open, RecordingSink } from './test-tools.ts';

/** A Tasmota plug that answers commands as the real one does. */
function tasmotaPlug(bus: MemoryBus): void {
  void bus.subscribe('cmnd/washer/POWER', ({ payload }) => bus.receive('stat/washer/POWER', payload.toString()));
}
const plug = {
  on: {
    datatype: 'boolean' as const,
    settable: true,
    source: { topic: 'stat/washer/POWER', on: 'ON', off: 'OFF', command: { topic: 'cmnd/washer/POWER' } },
  },
};

driverContract('mqtt with a Tasmota plug', () => {
  const bus = memoryBus();
  tasmotaPlug(bus);
  return {
    driver: mqtt,
    environment: environment({ bus }),
    properties: [
      { key: 'main/on', config: plug.on },
      { key: 'main/power', config: { datatype: 'float' as const, source: { topic: 'tele/washer/SENSOR', value: 'ENERGY.Power' } } },
    ],
    settable: { key: 'main/on', value: true },
    settle: async () => bus.receive('tele/washer/SENSOR', '{"Time":"2026-01-01T00:00:00","ENERGY":{"Power":12,"Voltage":231}}'),
  };
});

test('hears a Tasmota plug: sensor, availability, and its answer to a command', async () => {
  const bus = memoryBus();
  tasmotaPlug(bus);
  const sink = new RecordingSink();
  const thing = await open(
    mqtt,
    {
      options: { availability: { topic: 'tele/washer/LWT', online: 'Online', offline: 'Offline' } },
      properties: { ...plug, power: { datatype: 'float', source: { topic: 'tele/washer/SENSOR', value: '$.ENERGY.Power' } } },
    },
    environment({ bus }),
    sink,
  );
  bus.receive('tele/washer/LWT', 'Online', { retained: true });
  bus.receive('tele/washer/SENSOR', '{"Time":"2026-01-01T00:00:00","ENERGY":{"Power":42,"Voltage":231}}');
  expect(sink.values).toEqual([['power', 42]]);
  expect(await thing.write('on', true, never())).toBe(true);
  expect(bus.said).toContainEqual({ topic: 'cmnd/washer/POWER', payload: 'ON', qos: 1, retain: false });
  bus.receive('tele/washer/LWT', 'Offline');
  expect(sink.states).toEqual(['ready', 'disconnected']);
});

test('hears a Zigbee2MQTT lamp: JSON availability, partial states, a JSON command', async () => {
  const bus = memoryBus();
  void bus.subscribe('zigbee2mqtt/lamp/set', ({ payload }) => bus.receive('zigbee2mqtt/lamp', payload.toString()));
  const sink = new RecordingSink();
  const topic = 'zigbee2mqtt/lamp';
  const thing = await open(
    mqtt,
    {
      options: { availability: { topic: 'zigbee2mqtt/lamp/availability', value: 'state' } },
      properties: {
        on: {
          datatype: 'boolean',
          settable: true,
          source: { topic, value: 'state', on: 'ON', off: 'OFF', command: { topic: `${topic}/set`, payload: { state: '{value}' } } },
        },
        brightness: {
          datatype: 'integer',
          settable: true,
          source: { topic, value: 'brightness', command: { topic: `${topic}/set`, payload: '{"brightness": {value}}' } },
        },
      },
    },
    environment({ bus }),
    sink,
  );
  bus.receive('zigbee2mqtt/lamp/availability', '{"state":"online"}');
  bus.receive(topic, '{"state":"OFF","brightness":200,"linkquality":90}');
  expect(sink.values).toEqual([
    ['on', false],
    ['brightness', 200],
  ]);
  await thing.write('brightness', 120, never());
  expect(bus.said.at(-1)?.payload).toBe('{"brightness":120}');
  await thing.write('on', true, never());
  expect(bus.said.at(-1)?.payload).toBe('{"state":"ON"}');
  // the answers held one key each: the other property has no fault because of that
  expect(sink.faults).toEqual([]);
  expect(sink.states).toEqual(['ready']);
});

test('hears an ESPHome sensor: plain text and status', async () => {
  const bus = memoryBus();
  const sink = new RecordingSink();
  await open(
    mqtt,
    {
      options: { availability: { topic: 'porch/status' } },
      properties: { temperature: { datatype: 'float', source: { topic: 'porch/sensor/temperature/state' } } },
    },
    environment({ bus }),
    sink,
  );
  bus.receive('porch/status', 'online');
  bus.receive('porch/sensor/temperature/state', '21.4');
  bus.receive('porch/sensor/temperature/state', 'nan');
  expect(sink.values).toEqual([['temperature', 21.4]]);
  expect(sink.faults).toEqual([['temperature', 'the value is "nan"; a number is wanted']]);
  expect(sink.states).toEqual(['ready']);
});

test('a value that never fits its path is a fault that names both', async () => {
  const bus = memoryBus();
  const sink = new RecordingSink();
  await open(mqtt, { properties: { power: { datatype: 'float', source: { topic: 'a/b', value: 'power' } } } }, environment({ bus }), sink);
  bus.receive('a/b', '{"energy":1}');
  bus.receive('a/b', 'hello');
  expect(sink.faults.map(([, message]) => message)).toEqual([
    'a/b has nothing at power',
    'a/b said "hello"; JSON is wanted, because the property has the path power',
  ]);
});

test('a command waits for its own value and not for another', async () => {
  const bus = memoryBus();
  const sink = new RecordingSink();
  const thing = await open(mqtt, { properties: plug }, environment({ bus }), sink);
  let answered = false;
  const written = thing.write('on', true, never()).then((value) => {
    answered = true;
    return value;
  });
  bus.receive('stat/washer/POWER', 'OFF');
  await Promise.resolve();
  expect(answered).toBe(false);
  bus.receive('stat/washer/POWER', 'ON');
  expect(await written).toBe(true);
  // the answer is told once, by the command
  expect(sink.values).toEqual([['on', false]]);
});

test('a command that nobody answers ends with the signal of the core', async () => {
  const abort = new AbortController();
  const thing = await open(mqtt, { properties: plug }, environment());
  const written = thing.write('on', true, abort.signal);
  abort.abort(new Error('time is over'));
  await expect(written).rejects.toThrow('time is over');
});

test('a command fails at once while the broker is away', async () => {
  const thing = await open(mqtt, { properties: plug }, environment({ bus: memoryBus({ connected: false }) }));
  await expect(thing.write('on', true, never())).rejects.toMatchObject({ code: 'bus-away' });
});

test('an optimistic command is its own answer', async () => {
  const bus = memoryBus();
  const sink = new RecordingSink();
  const door = { datatype: 'boolean' as const, settable: true, source: { command: { topic: 'gate/open', optimistic: true, qos: 0 } } };
  const thing = await open(mqtt, { properties: { door } }, environment({ bus }), sink);
  expect(await thing.write('door', true, never())).toBe(true);
  expect(bus.said).toEqual([{ topic: 'gate/open', payload: 'true', qos: 0, retain: false }]);
  expect(sink.values).toEqual([]);
});

test('what the broker keeps is no new reading when it comes again, as it does when somebody else subscribes to it', async () => {
  const bus = memoryBus();
  const sink = new RecordingSink();
  await open(mqtt, { properties: { t: { datatype: 'float', source: { topic: 'a/t' } } } }, environment({ bus }), sink);
  bus.receive('a/t', '20', { retained: true });
  bus.receive('a/t', '20', { retained: true });
  bus.receive('a/t', '20');
  bus.receive('a/t', '21', { retained: true });
  expect(sink.values.map(([, value]) => value)).toEqual([20, 20, 21]);
});

test('a kept button press is over and not heard again', async () => {
  const bus = memoryBus();
  const sink = new RecordingSink();
  const press = { datatype: 'string' as const, retained: false, source: { topic: 'zigbee2mqtt/button', value: 'action' } };
  await open(mqtt, { properties: { press } }, environment({ bus }), sink);
  bus.receive('zigbee2mqtt/button', '{"action":"single"}', { retained: true });
  bus.receive('zigbee2mqtt/button', '{"action":"double"}');
  expect(sink.values).toEqual([['press', 'double']]);
});

test.each(['ledge-0000test/5/other/main/on', 'ledge-0000test/#', '#', '+/5/x/main/on'])(
  'refuses to hear this box itself: %s',
  async (topic) => {
    const loop = open(mqtt, { properties: { p: { datatype: 'string', source: { topic } } } }, environment());
    await expect(loop).rejects.toMatchObject({ code: 'thing-invalid', message: expect.stringContaining(`p.source.topic is ${topic};`) });
  },
);

test('refuses to command this box itself', async () => {
  const source = { topic: 'a/b', command: { topic: 'ledge-0000test/5/other/main/on/set' } };
  const loop = open(mqtt, { properties: { p: { datatype: 'string', source } } }, environment());
  await expect(loop).rejects.toThrow(/p\.source\.command\.topic is ledge-0000test/);
});

test('a command without a topic to hear must be optimistic', () => {
  expect(mqtt.source.safeParse({ command: { topic: 'a' } }).success).toBe(false);
  expect(mqtt.source.safeParse({}).success).toBe(false);
  expect(mqtt.source.safeParse({ topic: 'a', command: { topic: 'a/+' } }).success).toBe(false);
});

test('when one subscription is refused the others are given back', async () => {
  const bus = memoryBus();
  let held = 0;
  bus.subscribe = async (filter) => {
    if (filter === 'second') throw new Error('refused');
    held++;
    return async () => {
      held--;
    };
  };
  const properties = {
    a: { datatype: 'string' as const, source: { topic: 'first' } },
    b: { datatype: 'string' as const, source: { topic: 'second' } },
  };
  await expect(open(mqtt, { properties }, environment({ bus }))).rejects.toThrow('refused');
  expect(held).toBe(0);
});
