import { isOurService } from '@ledge/contract';
import { expect, test } from 'vitest';
import { OUR_PLANS, servicePlans } from './services.ts';

const moduleOf = (name: string) => `/ours/${name}.mjs`;
const project = {
  name: 'garden',
  version: '1.0.0',
  dir: '/project',
  thingsDir: '/project/things',
  configFile: '/project/ledge.yaml',
  services: [{ name: 'rain', module: 'rain.mjs', sha256: 'a', memoryLimitMb: 100 }],
  drivers: ['bme'],
  device: { module: 'device.mjs', sha256: 'b' },
};

test('without a project there are our services, each from our program', () => {
  const plans = servicePlans(moduleOf, undefined);
  expect(plans.map(({ name, module }) => [name, module])).toEqual(OUR_PLANS.map(({ name }) => [name, `/ours/${name}.mjs`]));
  expect(plans.every(({ name }) => isOurService(name))).toBe(true);
  expect(plans.some(({ isOptional }) => isOptional)).toBe(false);
});

test("a project's services come last and are optional; its device service stands in for ours", () => {
  const plans = servicePlans(moduleOf, project);
  expect(plans.at(-1)).toEqual({ name: 'rain', module: '/project/rain.mjs', sha256: 'a', memoryLimitMb: 100, isOptional: true });
  expect(plans.find(({ name }) => name === 'device')).toMatchObject({ module: '/project/device.mjs', sha256: 'b', memoryLimitMb: 192 });
  expect(plans.find(({ name }) => name === 'media')?.module).toBe('/ours/media.mjs');
  expect(servicePlans(moduleOf, { ...project, drivers: [], device: undefined }).find(({ name }) => name === 'device')?.module).toBe(
    '/ours/device.mjs',
  );
});
