import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { builtInDrivers } from './drivers/index.ts';
import { thingsJsonSchema } from './schema.ts';

const validate = new Ajv2020({ strict: false }).compile(thingsJsonSchema(builtInDrivers));

test.each([...builtInDrivers.values()].map((driver) => [driver.name, driver.example]))(
  'the example of %s is good to an editor',
  (_, example) => {
    expect(validate(parse(example)), JSON.stringify(validate.errors)).toBe(true);
  },
);

test.each([
  ['an unknown driver', 'driver: warp\nproperties: { a: { datatype: float } }'],
  ["a mistake in the driver's own part", 'driver: simulated\nproperties: { a: { datatype: float, source: { wave: bent } } }'],
  ['the same below a node', 'driver: simulated\nnodes: { n: { properties: { a: { datatype: float, source: { wave: bent } } } } }'],
  ["another driver's option", 'driver: system\nproperties: { a: { datatype: float, source: { wave: sine } } }'],
  ['neither nodes nor properties', 'driver: system'],
])('%s is marked by an editor', (_, yaml) => {
  expect(validate(parse(yaml))).toBe(false);
});
