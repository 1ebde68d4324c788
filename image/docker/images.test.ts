import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OUR_PLANS } from '@ledge/supervisor';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ENVIRONMENT, IMAGES, imageConfig, imagesOf } from './images.ts';
import type { ImageLayer } from './layers.ts';

const root = join(import.meta.dirname, '..', '..');
const layer = (name: string): ImageLayer => ({
  name,
  tar: `/nowhere/${name}.tar`,
  sum: name.padEnd(64, '0'),
  bytes: 1,
  epochS: 0,
  createdBy: name,
});
const LAYERS = ['base', 'player', 'mosquitto', 'runtime', 'services'].map(layer);
const release = { version: '0.1.0', commit: 'abc', built: '2026-11-24T00:00:00Z', machine: 'docker', kiosk: false };
const product = { name: 'ledge', version: '0.1.0', isProject: false };
const dockerfile = readFileSync(join(import.meta.dirname, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ');
const compose = (file: string) => parse(readFileSync(join(root, file), 'utf8'), { merge: true }) as { services: Record<string, Service> };
interface Service {
  image: string;
  mem_limit: string;
  environment: Record<string, string>;
}

function configOf(index: number) {
  const image = imagesOf(product, LAYERS)[index];
  if (!image) throw new Error('no such image');
  return { image, ...imageConfig(image, product, release, 'arm64') };
}

test('an image is its layers in order, what they share first and ours last', () => {
  expect(imagesOf(product, LAYERS).map(({ tags, layers }) => [tags[0], layers.map(({ name }) => name).join()])).toEqual([
    ['ledge:0.1.0', 'base,runtime,services'],
    ['ledge-media:0.1.0', 'base,runtime,player,services'],
    ['ledge-mosquitto:0.1.0', 'base,runtime,mosquitto,services'],
  ]);
});

test('a project lies on top of each image, which is called after it and knows where it is', () => {
  const garden = { name: 'garden', version: '2.0.0', isProject: true };
  const [image] = imagesOf(garden, [...LAYERS, layer('project')]);
  expect(image?.tags).toEqual(['garden:2.0.0', 'garden:latest']);
  expect(image?.layers.at(-1)?.name).toBe('project');
  if (image) expect(imageConfig(image, garden, release, 'amd64').text).toContain('"EDGE_PROJECT=/usr/lib/ledge/project"');
});

test('the same parts make the same image, and another part another', () => {
  expect(configOf(0).id).toBe(configOf(0).id);
  expect(configOf(0).id).not.toBe(configOf(1).id);
});

test('the Dockerfile says the same as the images that we write', () => {
  const { config } = JSON.parse(configOf(0).text) as {
    config: Record<string, unknown> & { Healthcheck: { Test: string[] }; User: string };
  };
  for (const [name, value] of Object.entries(ENVIRONMENT))
    expect(dockerfile).toMatch(new RegExp(`[ \\t]${name}=${value.replaceAll(/[.*+?^$|()[\]\\]/g, '\\$&')}(\\s|$)`));
  expect(dockerfile).toContain(`ENTRYPOINT ${JSON.stringify(config.Entrypoint).replaceAll('","', '", "')}`);
  expect(dockerfile).toContain(`CMD ${JSON.stringify(config.Healthcheck.Test.slice(1)).replaceAll('","', '", "')}`);
  for (const { suffix, layers } of IMAGES) {
    const [, stage = ''] = dockerfile.split(new RegExp(`^FROM runtime AS ledge${suffix}$`, 'm'));
    const own = (stage.split(/^FROM /m)[0] ?? '').matchAll(/ADD \$\{TARGETARCH\}\/(\w+)\.tar \//g);
    expect([...own].map(([, name]) => name)).toEqual(layers.slice(2));
    expect(stage).toContain(`USER ${config.User}`);
  }
});

test('the compose file has each of our services, with no less memory than it has elsewhere', () => {
  const { services } = compose('docker-compose.yml');
  expect(Object.keys(services).sort()).toEqual(OUR_PLANS.map(({ name }) => name).sort());
  for (const { name, memoryLimitMb } of OUR_PLANS) {
    expect(services[name]?.environment.EDGE_SERVICE).toBe(name);
    expect(Number.parseInt(services[name]?.mem_limit ?? '', 10)).toBeGreaterThanOrEqual(memoryLimitMb);
  }
  expect(services.media?.image).toContain('}-media:');
  expect(compose('docker-compose.mosquitto.yml').services).toEqual({
    broker: { image: services.server?.image.replace('}:', '}-mosquitto:'), environment: { EDGE_BROKER_ENGINE: 'mosquitto' } },
  });
});
