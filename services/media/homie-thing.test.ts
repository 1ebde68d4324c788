import { type MediaState, topics } from '@ledge/contract';
import { type MemoryBus, memoryBus } from '@ledge/testing';
import pino from 'pino';
import { beforeEach, expect, test, vi } from 'vitest';
import { discoveryOf, HomeAssistant } from './home-assistant.ts';
import { type Controls, describe, HomieThing } from './homie-thing.ts';

const EDGE = { id: 'ledge-1', name: 'Kitchen' };
const STOPPED: MediaState = {
  state: 'stopped',
  track: null,
  streamTitle: null,
  positionS: null,
  durationS: null,
  volume: 50,
  muted: false,
  repeat: 'off',
  queue: [],
  index: null,
  output: 'null',
  fault: null,
};
const at = (property: string) => topics.property(EDGE.id, { thing: 'media', node: 'player', property });

let bus: MemoryBus;
let done: unknown[][];
let thing: HomieThing;

beforeEach(async () => {
  bus = memoryBus();
  done = [];
  const controls = new Proxy({} as Controls, {
    get:
      (_target, name) =>
      (...args: unknown[]) => {
        done.push([name, ...args]);
        return name === 'next' ? Promise.reject(new Error('mplayer does not answer')) : Promise.resolve();
      },
  });
  thing = new HomieThing(bus, EDGE, controls, pino({ level: 'silent' }));
  await thing.start(STOPPED);
});

test('its state is said last, when everything else has been said', () => {
  expect(bus.said.at(-1)).toMatchObject({ topic: 'ledge-1/5/media/$state', payload: 'ready', retain: true });
  expect(bus.held.get(at('volume'))).toBe('50');
  expect(bus.held.get(at('title'))).toBe('\0');
  expect(bus.held.has(at('command'))).toBe(false);
});

test('only what changed is said', () => {
  bus.said.length = 0;
  const track = { id: '1', source: 'http://r/', title: 'Radio', durationS: null };
  thing.say({ ...STOPPED, state: 'playing', track, streamTitle: 'So What' });
  expect(Object.fromEntries(bus.said.map(({ topic, payload }) => [topic.split('/').at(-1), payload]))).toEqual({
    state: 'playing',
    title: 'So What',
    source: 'http://r/',
  });
});

test.each([
  ['command', 'play', ['play']],
  ['volume', '30', ['setVolume', 30]],
  ['muted', 'true', ['setMuted', true]],
  ['repeat', 'all', ['setRepeat', 'all']],
  ['position', '12.5', ['seek', 12.5]],
  ['source', 'http://r/', ['playSource', 'http://r/']],
])('%s set to %s is done', (property, payload, call) => {
  bus.receive(`${at(property)}/set`, payload);
  expect(done).toEqual([call]);
});

test.each([
  ['volume', '101'],
  ['volume', '1e2'],
  ['command', 'explode'],
  ['muted', 'TRUE'],
  ['position', '-1'],
  ['state', 'playing'],
  ['nonsense', 'x'],
  ['constructor', 'x'],
])('%s set to %s is not done', (property, payload) => {
  bus.receive(`${at(property)}/set`, payload);
  expect(done).toEqual([]);
});

test('a command that was retained is not done again at each start', () => {
  bus.receive(`${at('command')}/set`, 'play', { retained: true });
  expect(done).toEqual([]);
});

test('a command to be what it is already is answered, too', async () => {
  bus.said.length = 0;
  bus.receive(`${at('volume')}/set`, '50');
  await vi.waitFor(() => expect(bus.said).toEqual([{ topic: at('volume'), payload: '50', qos: 1, retain: true }]));
});

test('a command that fails is told on the thing’s log', async () => {
  bus.receive(`${at('command')}/set`, 'next');
  await vi.waitFor(() => {
    expect(bus.said.at(-1)).toMatchObject({
      topic: 'ledge-1/5/media/$log/warn',
      payload: 'player/command was not set: mplayer does not answer',
      retain: false,
    });
  });
});

test('the version of the description changes with its content only', () => {
  expect(describe('a').version).toBe(describe('a').version);
  expect(describe('a').version).not.toBe(describe('b').version);
});

test('on stop it says that it is disconnected', async () => {
  await thing.stop();
  expect(bus.held.get('ledge-1/5/media/$state')).toBe('disconnected');
  bus.receive(`${at('command')}/set`, 'play');
  expect(done).toEqual([]);
});

test('every command and state topic of the discovery document is one of the thing’s', () => {
  const { components } = discoveryOf(EDGE) as { components: Record<string, Record<string, string>> };
  const { nodes } = describe('x');
  for (const component of Object.values(components)) {
    for (const topic of [component.state_topic, component.command_topic].filter((t) => t !== undefined)) {
      const [, , , node = '', property = ''] = topic.split('/');
      const known = nodes[node]?.properties[property];
      expect(known, topic).toBeDefined();
      if (topic.endsWith('/set')) expect(known?.settable, topic).toBe(true);
    }
  }
});

test('Home Assistant hears it again when it says that it is born, and only then', async () => {
  const homeAssistant = new HomeAssistant(bus, EDGE);
  await homeAssistant.start();
  const count = () => bus.said.filter(({ topic }) => topic === 'homeassistant/device/ledge-1-media/config').length;
  expect(count()).toBe(1);
  bus.receive('homeassistant/status', 'offline');
  bus.receive('homeassistant/status', 'online', { retained: true });
  expect(count()).toBe(1);
  bus.receive('homeassistant/status', 'online');
  expect(count()).toBe(2);
});
