import { expect, test } from 'vitest';
import { builtInDrivers } from '../drivers/index.ts';
import { InvalidThing, parseThing } from './load.ts';

const parse = (yaml: string, id = 'greenhouse') => parseThing(id, yaml, `${id}.yaml`, builtInDrivers);
const mistakes = (yaml: string, id?: string) => {
  try {
    parse(yaml, id);
  } catch (error) {
    if (error instanceof InvalidThing) return error.mistakes.map(({ line, key, message }) => ({ line, key, message }));
    throw error;
  }
  return [];
};

test('properties directly under the thing are one node called main', () => {
  const thing = parse('driver: simulated\nproperties:\n  t: { datatype: float }\n');
  expect(thing).toMatchObject({ id: 'greenhouse', name: 'greenhouse', nodes: [{ id: 'main', name: 'main' }] });
  expect(thing.properties.map((p) => p.key)).toEqual(['main/t']);
});

test("a property's sampling goes over the thing's, key by key", () => {
  const [slow, fast] = parse(`driver: simulated
sample: { every: 1m, onChange: true }
properties:
  slow: { datatype: float }
  fast: { datatype: float, sample: { every: 1s } }
`).properties;
  expect(slow?.sampling).toMatchObject({ every: '1m', onChange: true });
  expect(fast?.sampling).toMatchObject({ every: '1s', onChange: true });
});

test('a wrong value is told with line, key, value and what is wanted', () => {
  expect(mistakes('driver: simulated\nproperties:\n  t:\n    datatype: flaot\n')).toEqual([
    {
      line: 4,
      key: 'properties.t.datatype',
      message: expect.stringMatching(/^properties\.t\.datatype is "flaot"; expected one of "float"/),
    },
  ]);
});

test('an unknown key is told where it stands', () => {
  expect(mistakes('driver: simulated\nproperties:\n  t:\n    datatype: float\n    unti: V\n')).toEqual([
    { line: 5, key: 'properties.t.unti', message: 'properties.t.unti is not known here' },
  ]);
});

test("a mistake in the driver's own part is told in the same way", () => {
  const yaml = 'driver: simulated\nnodes:\n  a:\n    properties:\n      t: { datatype: float, source: { wave: cosine } }\n';
  expect(mistakes(yaml)).toEqual([
    { line: 5, key: 'nodes.a.properties.t.source.wave', message: expect.stringContaining('nodes.a.properties.t.source.wave is "cosine"') },
  ]);
});

test('every mistake is told at once', () => {
  const yaml = 'driver: simulated\nproperties:\n  a: { datatype: x }\n  b: { datatype: float, min: low }\n';
  expect(mistakes(yaml).map((m) => [m.line, m.key])).toEqual([
    [3, 'properties.a.datatype'],
    [4, 'properties.b.min'],
  ]);
});

test.each([
  ['broken YAML', 'driver: [simulated\nproperties: 1\n', /^(?!undefined)/],
  ['a key given twice', 'driver: simulated\ndriver: system\n', /unique/],
  ['an unknown driver', 'driver: warp\nproperties: { a: { datatype: float } }\n', /driver is "warp"; one of system, gpio/],
  ['an empty file', '', /object/],
  ['no properties', 'driver: simulated\nproperties: {}\n', /at least one property/],
  ['a range the wrong way round', 'driver: simulated\nproperties: { a: { datatype: float, min: 5, max: 1 } }\n', /min is 5; 1 or less/],
  ['an enum without its words', 'driver: simulated\nproperties: { a: { datatype: enum } }\n', /enum needs its values/],
])('%s is refused', (_, yaml, message) => {
  expect(mistakes(yaml)[0]?.message).toMatch(message);
});

test('the name of a file must be an id', () => {
  expect(mistakes('driver: simulated\nproperties: { a: { datatype: float } }\n', 'My Thing')[0]?.message).toMatch(
    /"My Thing"; lower-case letters/,
  );
});

test('the sentence names file and line', () => {
  expect(() => parse('driver: warp\nproperties: { a: { datatype: float } }\n')).toThrow(/^greenhouse\.yaml line 1: driver is "warp"/);
});
