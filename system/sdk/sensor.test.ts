import { readFile } from 'node:fs/promises';
import { defineSensor, Problem, z } from '@ledge/sdk';
import { expect, test } from 'vitest';
import { driverContract, driverEnvironment, kernelTree, readThing } from './testing.ts';

const level = defineSensor({
  name: 'tank',
  summary: 'level of a tank',
  example: `name: Tank
driver: tank
options: { file: level }
properties:
  level: { datatype: integer, unit: '%' }
  depth: { datatype: float, unit: cm, source: { factor: 2 } }
`,
  options: z.strictObject({ file: z.string() }),
  source: z.strictObject({ factor: z.number().default(1) }),
  unavailable: async ({ root }) => (root === '/nowhere' ? 'This machine has no tank' : undefined),
  async read({ source }, { options, environment, signal }) {
    const text = await readFile(`${environment.root}/${options.file}`, { encoding: 'utf8', signal });
    if (!/^\d+/.test(text)) throw new Problem('sensor-failed', `${options.file} says ${text}; a number is wanted`);
    return Number(text) * source.factor;
  },
});

driverContract('a sensor of its own', () => ({
  driver: level,
  environment: driverEnvironment({ root: kernelTree({ level: '40\n' }) }),
  options: { file: 'level' },
  properties: [
    { key: 'main/level', config: { datatype: 'integer' } },
    { key: 'main/depth', config: { datatype: 'float', source: { factor: 2 } } },
  ],
}));

test('a thing of it is read as its file says', async () => {
  expect(await readThing(level, level.example, driverEnvironment({ root: kernelTree({ level: '40\n' }) }))).toEqual({
    'main/level': 40,
    'main/depth': 80,
  });
});

test('a property that cannot be read says why', async () => {
  const values = await readThing(level, level.example, driverEnvironment({ root: kernelTree({ level: 'empty' }) }));
  expect(values['main/level']).toEqual(new Problem('sensor-failed', 'level says empty; a number is wanted'));
});

test('a machine that lacks what it needs says so when a thing is opened', async () => {
  await expect(readThing(level, level.example, driverEnvironment())).rejects.toMatchObject({
    code: 'driver-unavailable',
    message: 'This machine has no tank',
  });
});

test('without schemas of its own it takes no options and no source', async () => {
  const one = defineSensor({
    name: 'one',
    summary: 'always 1',
    example: 'driver: one\nproperties: { one: { datatype: integer } }',
    read: () => 1,
  });
  expect(await readThing(one, one.example, driverEnvironment())).toEqual({ 'main/one': 1 });
  await expect(readThing(one, `${one.example}\noptions: { two: 2 }`, driverEnvironment())).rejects.toThrow('two');
});
