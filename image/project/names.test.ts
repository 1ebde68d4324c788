import { expect, test } from 'vitest';
import { bundleVersion, plainName } from './names.ts';

test.each([
  ['weather-station', 'weather-station'],
  ['@garden/Weather', 'garden-weather'],
  ['My Garden 2!', 'my-garden-2'],
])('files of the project %s are called %s-…', (name, plain) => {
  expect(plainName(name)).toBe(plain);
});

test('a bundle’s version tells which project is in it', () => {
  const project = { name: '@garden/weather', version: '1.2.0+dirty', services: [] };
  expect(bundleVersion({ version: '0.1.0' })).toBe('0.1.0');
  expect(bundleVersion({ version: '0.1.0', project })).toBe('0.1.0+garden-weather.1.2.0-dirty');
});
