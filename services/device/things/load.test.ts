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
  ['a word with a comma', 'driver: simulated\nproperties: { a: { datatype: enum, values: ["a,b"] } }\n', /words without a comma/],
  ['a word twice', 'driver: simulated\nproperties: { a: { datatype: enum, values: [a, a] } }\n', /each word once/],
  ['an unknown kind of colour', 'driver: simulated\nproperties: { a: { datatype: color, values: [cmyk] } }\n', /rgb, hsv and xyz/],
  ['a scale of nothing', 'driver: simulated\nproperties: { a: { datatype: float, scale: 0 } }\n', /another number than 0/],
  ['no time between readings', 'driver: simulated\nsample: { every: 0ms }\nproperties: { a: { datatype: float } }\n', /1ms or more/],
  ['more time than a timer can wait', 'driver: simulated\nsample: { every: 30d }\nproperties: { a: { datatype: float } }\n', /24d or less/],
])('%s is refused', (_, yaml, message) => {
  expect(mistakes(yaml)[0]?.message).toMatch(message);
});

test('the name of a file must be an id', () => {
  expect(mistakes('driver: simulated\nproperties: { a: { datatype: float } }\n', 'My Thing')[0]?.message).toMatch(
    /"My Thing"; lower-case letters/,
  );
});

test('a file cannot take the name of a thing that another service says', () => {
  expect(mistakes('driver: simulated\nproperties: { a: { datatype: float } }\n', 'media')[0]?.message).toMatch(
    /media is said by another service/,
  );
});

test('the sentence names file and line', () => {
  expect(() => parse('driver: warp\nproperties: { a: { datatype: float } }\n')).toThrow(/^greenhouse\.yaml line 1: driver is "warp"/);
});

test.each([
  ['brackets without an end', '['.repeat(250_000), /more than 40000 words and signs/],
  ['commas', `[${','.repeat(250_000)}]`, /more than 40000 words and signs/],
  ['nested maps', `driver: simulated\noptions: ${'{a: '.repeat(5000)}1${'}'.repeat(5000)}\n`, /call stack|deep/],
  ['a thousand million laughs', laughs(9), /^its aliases \(\*\) cannot be followed: Excessive alias count/],
  [
    'an alias within its own anchor',
    'driver: mqtt\nproperties: &p\n  a: { datatype: float, source: { topic: t, more: *p } }\n',
    /circular/,
  ],
])('%s are refused in time and memory of a small machine', (_, yaml, message) => {
  const before = process.memoryUsage().heapUsed;
  expect(mistakes(yaml)[0]?.message).toMatch(message);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(80e6);
});

function laughs(levels: number): string {
  const level = (n: number) => `l${n}: &l${n} [${Array.from({ length: 10 }, () => (n === 0 ? 'ha' : `*l${n - 1}`)).join(', ')}]`;
  return Array.from({ length: levels }, (_, n) => level(n)).join('\n');
}

test('a file of another kind has some mistakes, not thousands', () => {
  const told = mistakes('a:\n\t- b\n'.repeat(5000));
  expect(told.length).toBeLessThanOrEqual(10);
});
