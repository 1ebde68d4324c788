import { effect } from '@preact/signals';
import { expect, test } from 'vitest';
import { Things } from './things.ts';

const describe = (things: Things, id: string, name = id, properties: object = { t: { datatype: 'float' } }) =>
  things.take(`e/5/${id}/$description`, JSON.stringify({ homie: '5.0', version: 1, name, nodes: { n: { properties } } }), true, 0);
const only = (things: Things) => {
  const property = things.list.value[0]?.properties.value[0];
  if (!property) throw new Error('no property');
  return property;
};

test('a thing is listed when it has described itself, in whatever order its topics come', () => {
  const things = new Things();
  things.take('e/5/a/n/t', '21', true, 1000);
  things.take('e/5/a/$state', 'ready', true, 1000);
  expect(things.list.value).toEqual([]);
  describe(things, 'a');
  expect([only(things).payload.value, things.list.value[0]?.state.value]).toEqual(['21', 'ready']);
});

test('a new value wakes only those who look at that value', () => {
  const things = new Things();
  describe(things, 'a', 'a', { t: { datatype: 'float' }, u: { datatype: 'float' } });
  const woken: string[] = [];
  const stops = [
    effect(() => void woken.push(`list ${things.list.value.length}`)),
    ...things.list.value.flatMap((thing) =>
      thing.properties.value.map((p) => effect(() => void woken.push(`${p.key} ${p.payload.value}`))),
    ),
  ];
  woken.length = 0;
  things.take('e/5/a/n/t', '5', false, 1);
  describe(things, 'a', 'a', { t: { datatype: 'float' }, u: { datatype: 'float' } });
  expect(woken).toEqual(['n/t 5']);
  for (const stop of stops) stop();
});

test('a retained value has no age until the box tells when it was measured; a live one has at once', () => {
  const things = new Things();
  describe(things, 'a');
  things.take('e/5/a/n/t', '21', true, 9000);
  expect(only(things).timeMs.value).toBeUndefined();
  const time = new Date(5000).toISOString();
  const property = {
    node: 'n',
    property: 't',
    name: 't',
    datatype: 'float',
    settable: false,
    value: 21,
    time,
    fault: 'unplugged',
  } as const;
  things.merge([
    { id: 'a', name: 'a', driver: 'w1', room: 'Attic', state: 'ready', enabled: true, file: null, fault: 'no bus', properties: [property] },
  ]);
  expect([only(things).timeMs.value, only(things).fault.value]).toEqual([5000, 'unplugged']);
  expect([things.list.value[0]?.room.value, things.list.value[0]?.faults.value]).toEqual(['Attic', ['no bus']]);
  things.take('e/5/a/n/t', '22', false, 9500);
  expect(only(things).timeMs.value).toBe(9500);
  things.take('e/5/a/n/t', '22', true, 9900);
  expect(only(things).timeMs.value).toBe(9500);
});

test('an alert is shown while it stands', () => {
  const things = new Things();
  describe(things, 'a');
  things.take('e/5/a/$alert/battery', 'Battery low', true, 0);
  expect(things.list.value[0]?.faults.value).toEqual(['Battery low']);
  things.take('e/5/a/$alert/battery', '', false, 0);
  expect(things.list.value[0]?.faults.value).toEqual([]);
});

test('an alert that is named after a property is told at that property, whichever comes first', () => {
  const things = new Things();
  things.take('e/5/a/$alert/n-t', 'The sensor does not answer', true, 0);
  describe(things, 'a');
  expect([only(things).fault.value, things.list.value[0]?.faults.value]).toEqual(['The sensor does not answer', []]);
  things.take('e/5/a/$alert/n-t', '', false, 0);
  expect(only(things).fault.value).toBeUndefined();
});

test('a thing that withdraws its description is gone', () => {
  const things = new Things();
  describe(things, 'a');
  things.take('e/5/a/$description', '', false, 0);
  expect(things.list.value).toEqual([]);
});

test('what is not said again after a new beginning is forgotten, the rest keeps its identity', () => {
  const things = new Things();
  describe(things, 'a');
  describe(things, 'b');
  const [a] = things.list.value;
  things.beginSnapshot();
  describe(things, 'a');
  expect(things.list.value).toHaveLength(2);
  things.dropUnsaid();
  expect(things.list.value).toEqual([a]);
});

test('things are in order of room and name, also after a new name', () => {
  const things = new Things();
  describe(things, 'a', 'Zebra');
  describe(things, 'b', 'Ant');
  expect(things.list.value.map((thing) => thing.id)).toEqual(['b', 'a']);
  describe(things, 'a', 'Aardvark');
  expect(things.list.value.map((thing) => thing.id)).toEqual(['a', 'b']);
});

test('while its root is away a thing is away too, and then as it says itself', () => {
  const things = new Things();
  const child = JSON.stringify({ homie: '5.0', version: 1, name: 'a', root: 'system', parent: 'system', nodes: {} });
  things.take('e/5/a/$state', 'ready', true, 0);
  things.take('e/5/a/$description', child, true, 0);
  const seen: unknown[] = [];
  const stop = effect(() => void seen.push(things.list.value[0]?.state.value));
  for (const state of ['ready', 'lost', 'init', 'ready']) things.take('e/5/system/$state', state, false, 0);
  things.take('e/5/a/$state', 'sleeping', false, 0);
  things.take('e/5/system/$state', 'lost', false, 0);
  things.take('e/5/system/$state', '', false, 0);
  expect(seen).toEqual(['ready', 'lost', 'ready', 'sleeping', 'lost', 'sleeping']);
  stop();
});

test('topics that are none of ours change nothing', () => {
  const things = new Things();
  for (const topic of ['x', 'e/5', 'e/5/a', 'e/5/a/$log/warn', 'e/5/a/n/t/set', '']) things.take(topic, 'y', false, 0);
  expect(things.list.value).toEqual([]);
});
