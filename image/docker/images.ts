import { createHash } from 'node:crypto';
import type { ReleaseFacts } from '../app.ts';
import type { Architecture } from '../layers/recipe.ts';
import { FOLDERS, type ImageLayer, USER_ID } from './layers.ts';

/** The layers of each image, lowest first; what they share is stored once. A project lies on top of each. */
export const IMAGES = [
  { suffix: '', layers: ['base', 'runtime', 'services'], description: 'the services of an IoT appliance; EDGE_SERVICE picks one' },
  { suffix: '-media', layers: ['base', 'runtime', 'player', 'services'], description: 'with mplayer, for the service media' },
  { suffix: '-mosquitto', layers: ['base', 'runtime', 'mosquitto', 'services'], description: 'with mosquitto, for the service broker' },
] as const;

const NODE = '/usr/bin/node';
const SECOND_NS = 1e9;

/** What a container is started with, in every image. The Dockerfile says the same. */
export const ENVIRONMENT = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: FOLDERS.data,
  NODE_ENV: 'production',
  // as the supervisor starts services: small young generations, no heap for each thread
  NODE_OPTIONS: '--max-semi-space-size=2',
  MALLOC_ARENA_MAX: '2',
  EDGE_DATA: FOLDERS.data,
  EDGE_RUN: FOLDERS.run,
  EDGE_MACHINE_TYPE: 'docker',
} as const;

/** An image without its layers: what `docker inspect` tells of it. */
export interface Image {
  /** `name:tag`, the first with the version. */
  tags: string[];
  layers: ImageLayer[];
  description: string;
}

export interface Product {
  name: string;
  version: string;
  /** Named in labels; absent for Ledge itself. */
  isProject: boolean;
}

/**
 * The configuration of an image as a JSON text that is the same for the same parts, and its id
 * (Docker image specification 1.2, <https://github.com/moby/docker-image-spec>).
 */
export function imageConfig(
  image: Image,
  product: Product,
  release: ReleaseFacts,
  architecture: Architecture,
): { text: string; id: string } {
  const text = JSON.stringify({
    architecture,
    os: 'linux',
    created: release.built,
    config: {
      User: `${USER_ID}:${USER_ID}`,
      Env: Object.entries({ ...ENVIRONMENT, ...(product.isProject ? { EDGE_PROJECT: FOLDERS.project } : {}) }).map(
        ([name, value]) => `${name}=${value}`,
      ),
      Entrypoint: [NODE, '/usr/lib/ledge/ledge.mjs'],
      WorkingDir: FOLDERS.data,
      StopSignal: 'SIGTERM',
      Healthcheck: {
        Test: ['CMD', NODE, '/usr/lib/ledge/health.mjs'],
        ...{ Interval: 30 * SECOND_NS, Timeout: 5 * SECOND_NS, Retries: 3, StartPeriod: 20 * SECOND_NS },
        StartInterval: 2 * SECOND_NS, // by engines from 25 on
      },
      Labels: labels(image, product, release),
    },
    rootfs: { type: 'layers', diff_ids: image.layers.map(({ sum }) => `sha256:${sum}`) },
    history: image.layers.map(({ epochS, createdBy }) => ({
      created: new Date(epochS * 1000).toISOString().replace('.000Z', 'Z'),
      created_by: createdBy,
    })),
  });
  return { text, id: createHash('sha256').update(text).digest('hex') };
}

/** Keys of the OCI image specification, annotations.md. */
const labels = (image: Image, product: Product, release: ReleaseFacts) => ({
  'org.opencontainers.image.title': image.tags[0]?.split(':')[0],
  'org.opencontainers.image.description': `${product.name}: ${image.description}`,
  'org.opencontainers.image.version': product.version,
  'org.opencontainers.image.created': release.built,
  ...(product.isProject ? { 'ledge.version': release.version } : { 'org.opencontainers.image.licenses': 'MIT' }),
  'org.opencontainers.image.revision': release.commit,
});

/** The images of a product, of the layers that were built for it. */
export function imagesOf(product: Product, layers: readonly ImageLayer[]): Image[] {
  const project = layers.filter(({ name }) => name === 'project');
  return IMAGES.map(({ suffix, layers: names, description }) => ({
    tags: [product.version, 'latest'].map((tag) => `${product.name}${suffix}:${tag}`),
    layers: [...names.flatMap((name) => layers.filter((layer) => layer.name === name)), ...project],
    description,
  }));
}
