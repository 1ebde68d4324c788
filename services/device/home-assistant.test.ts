import { memoryBus } from '@ledge/testing';
import { describe, expect, test } from 'vitest';
import { discoveryOf, HomeAssistant } from './home-assistant.ts';
import { silent, thingOf } from './test-tools.ts';

const thing = thingOf(
  'hall',
  `name: Hall
driver: simulated
room: Ground floor
properties:
  temperature: { datatype: float, unit: °C }
  humidity: { datatype: float, unit: '%' }
  energy: { datatype: float, unit: kWh }
  motion: { datatype: boolean }
  fan: { datatype: boolean, settable: true }
  mode: { datatype: enum, values: [off, eco], settable: true }
  setpoint: { datatype: float, min: 5, max: 30, step: 0.5, unit: °C, settable: true }
  note: { datatype: string, settable: true }
  phase: { datatype: enum, values: [dawn, day] }
  seen: { datatype: datetime }
`,
);
const lamp = thingOf(
  'lamp',
  'driver: simulated\nproperties:\n  on: { datatype: boolean, settable: true }\n  color: { datatype: color, settable: true }\n',
);
type Components = Record<string, Record<string, unknown>>;
const components = (of = thing) => (discoveryOf('ledge-1', of, 'system') as { components: Components }).components;

describe('a discovery document', () => {
  test('names device, room and the box that it hangs on', () => {
    expect(discoveryOf('ledge-1', thing, 'system')).toMatchObject({
      device: { identifiers: ['ledge-1-hall'], name: 'Hall', suggested_area: 'Ground floor', via_device: 'ledge-1-system' },
      origin: { name: 'Ledge' },
      availability_mode: 'all',
      availability: [{ topic: 'ledge-1/5/system/$state' }, { topic: 'ledge-1/5/hall/$state' }],
    });
  });

  test.each([
    ['temperature', { platform: 'sensor', device_class: 'temperature', unit_of_measurement: '°C', state_class: 'measurement' }],
    ['humidity', { platform: 'sensor', device_class: 'humidity' }],
    ['energy', { platform: 'sensor', device_class: 'energy', state_class: 'total_increasing' }],
    ['motion', { platform: 'binary_sensor', device_class: 'motion', payload_on: 'true' }],
    ['fan', { platform: 'switch', payload_off: 'false', command_topic: 'ledge-1/5/hall/main/fan/set' }],
    ['mode', { platform: 'select', options: ['off', 'eco'] }],
    ['setpoint', { platform: 'number', min: 5, max: 30, step: 0.5 }],
    ['note', { platform: 'text' }],
    ['phase', { platform: 'sensor', device_class: 'enum', options: ['dawn', 'day'] }],
    ['seen', { platform: 'sensor', device_class: 'timestamp' }],
  ])('says %s as what it is', (property, expected) => {
    expect(components()[`main-${property}`]).toMatchObject({
      ...expected,
      unique_id: `ledge-1-hall-main-${property}`,
      state_topic: `ledge-1/5/hall/main/${property}`,
    });
  });

  test('what is only read has no command topic', () => {
    expect(components()['main-temperature']).not.toHaveProperty('command_topic');
  });

  test('a colour and its switch are one light', () => {
    expect(Object.keys(components(lamp))).toEqual(['main-on']);
    expect(components(lamp)['main-on']).toMatchObject({
      platform: 'light',
      command_topic: 'ledge-1/5/lamp/main/on/set',
      rgb_command_topic: 'ledge-1/5/lamp/main/color/set',
      rgb_command_template: 'rgb,{{ red }},{{ green }},{{ blue }}',
    });
  });
});

const settle = async () => {
  for (let i = 0; i < 30; i++) await Promise.resolve();
};

test('documents are retained, said again when Home Assistant starts, and cleared when the thing goes', async () => {
  const bus = memoryBus();
  const assistant = new HomeAssistant(bus, 'ledge-1', 'system', 'ha', silent);
  await assistant.start();
  assistant.put(thing);
  await settle();
  const topic = 'ha/device/ledge-1-hall/config';
  const times = () => bus.said.filter((m) => m.topic === topic).length;
  expect(bus.held.has(topic)).toBe(true);
  expect(times()).toBe(1);
  bus.receive('ha/status', 'offline');
  await settle();
  expect(times()).toBe(1);
  bus.receive('ha/status', 'online');
  await settle();
  expect(times()).toBe(2);
  assistant.remove('hall');
  await settle();
  expect(bus.held.has(topic)).toBe(false);
  bus.receive('ha/status', 'online');
  await settle();
  expect(bus.held.has(topic)).toBe(false);
});

test('an entity that a thing no longer has, or has as another kind, is taken from Home Assistant', async () => {
  const bus = memoryBus();
  const assistant = new HomeAssistant(bus, 'ledge-1', 'system', 'ha', silent);
  const fan = (properties: string) => thingOf('fan', `driver: simulated\nproperties: { ${properties} }\n`);
  assistant.put(fan('on: { datatype: boolean }, speed: { datatype: float }, noise: { datatype: float }'));
  await settle();
  assistant.put(fan('on: { datatype: boolean, settable: true }, speed: { datatype: float }'));
  await settle();
  const documents = bus.said.map(({ payload }) => (JSON.parse(payload) as { components: Components }).components);
  expect(documents.at(-2)).toMatchObject({ 'main-on': { platform: 'binary_sensor' }, 'main-speed': { name: 'speed' } });
  expect(documents.at(-2)?.['main-noise']).toEqual({ platform: 'sensor' });
  expect(documents.at(-2)?.['main-on']).toEqual({ platform: 'binary_sensor' });
  expect(documents.at(-1)?.['main-on']).toMatchObject({ platform: 'switch' });
  expect(documents.at(-1)).not.toHaveProperty('main-noise');
});

test('a thing that comes or goes does not make the others unavailable', () => {
  const { availability } = discoveryOf('ledge-1', thing, 'system') as unknown as { availability: { value_template: string }[] };
  expect(availability[0]?.value_template).not.toContain('init');
  expect(availability[0]?.value_template).toContain("'offline' if value in ['lost', 'disconnected']");
});

test('a step that Home Assistant would refuse is made coarser', () => {
  const fine = thingOf('fine', 'driver: simulated\nproperties: { dose: { datatype: float, step: 0.00001, settable: true } }\n');
  expect(components(fine)['main-dose']).toMatchObject({ step: 0.001 });
});
