/** `./build.sh docker`: images of the services as files for `docker load`, and what lies beside them. */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { releaseFacts } from '../app.ts';
import { openApt } from '../layers/apt.ts';
import { buildLayers, type Layer, workFolder } from '../layers/build.ts';
import { holdToLock, readLock, versionsOf } from '../layers/lock.ts';
import { ARCHITECTURES, type Architecture, SUITE } from '../layers/recipe.ts';
import { buildProjectInto } from '../project/build.ts';
import { plainName } from '../project/names.ts';
import { npmPackagesOf, spdx } from '../reports/spdx.ts';
import { run, wantRoot } from '../run.ts';
import { buildRuntime } from '../runtime.ts';
import { share, writeArchive } from './archive.ts';
import { engineAnswers, imageId, loadImages } from './engine.ts';
import { type Image, imageConfig, imagesOf, type Product } from './images.ts';
import { appLayer, debianLayer, type ImageLayer, projectLayer } from './layers.ts';

const USAGE = `Usage: ./build.sh docker [--project DIR] [--arch amd64|arm64|all] [--out DIR] [--no-load] [--locked | --update-lock]

Makes the images of the services in dist/docker/, as one file for "docker load", with a bill of materials for each, and a folder
for "docker build". Where a Docker engine answers, they are loaded into it; then: docker-compose up -d
  --project DIR   with the services, drivers and things of your own project; images and files are called after it
  --arch          for which processor (default: this machine's); others are made by emulation
  --out DIR       another folder
  --no-load       without loading them
  --locked        refuse package versions other than those in image/layers/lock.json
  --update-lock   write what was built into that file

Needs Linux and root (for chroot and overlay mounts), and no Docker. Layers are cached in EDGE_CACHE (default ~/.cache/ledge).`;

const root = join(import.meta.dirname, '..', '..');
const startMs = performance.now();
const say = (text: string) => console.log(`[${Math.round((performance.now() - startMs) / 1000)} s] ${text}`);
const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const HERE: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

const { values } = parseArgs({
  options: {
    project: { type: 'string' },
    arch: { type: 'string', default: HERE },
    out: { type: 'string' },
    'no-load': { type: 'boolean', default: false },
    locked: { type: 'boolean', default: false },
    'update-lock': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function architectures(): readonly Architecture[] {
  if (values.arch === 'all') return ARCHITECTURES;
  const wanted = ARCHITECTURES.find((architecture) => architecture === values.arch);
  if (!wanted) throw new Error(`--arch is ${values.arch}; ${ARCHITECTURES.join(', ')} or all is wanted.`);
  return [wanted];
}

async function main(): Promise<void> {
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const wanted = architectures();
  wantRoot();
  const work = workFolder();
  try {
    const parts = await commonParts(work);
    for (const architecture of wanted) await make(architecture, parts);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What is the same on every processor. */
async function commonParts(work: string) {
  const project = await buildProjectInto(work, values.project);
  await run('node', [join(root, 'tools/build.ts'), '--quiet']);
  const { facts, epochS } = await releaseFacts(root, false, project);
  const release = { ...facts, machine: 'docker' };
  const layers: ImageLayer[] = [await appLayer(root, release, epochS, work)];
  if (project) layers.push(await projectLayer(project.built.dir, project.built, epochS, work));
  const product: Product = project
    ? { name: plainName(project.built.name), version: project.built.version, isProject: true }
    : { name: 'ledge', version: release.version, isProject: false };
  return { release, epochS, layers, product, project };
}

async function make(
  architecture: Architecture,
  { release, epochS, layers: ours, product, project }: Awaited<ReturnType<typeof commonParts>>,
) {
  const out = values.out ?? join(root, 'dist', 'docker', project ? product.name : '');
  const context = join(out, 'context');
  mkdirSync(join(context, architecture), { recursive: true });

  const lock = readLock();
  const debianEpochS = Date.parse(lock.date) / 1000;
  const apt = await openApt(SUITE, architecture);
  const debian = await buildLayers(['player', 'mosquitto'], { apt, epochS: debianEpochS, say });
  holdToLock(lock, versionsOf(debian, architecture), { update: values['update-lock'], refuse: values.locked, say });
  const layers = [
    ...(await Promise.all(debian.map((layer) => debianLayer(layer, debianEpochS, `Debian ${SUITE}: ${layer.name}`)))),
    await debianLayer(await buildRuntime(debianEpochS, architecture), debianEpochS, 'Node.js'),
    ...ours,
  ];
  const images = imagesOf(product, layers).map((image) => ({ ...image, config: imageConfig(image, product, release, architecture) }));

  const file = join(out, `${product.name}-${architecture}.tar`);
  await writeArchive(images, file, epochS);
  for (const { name, tar } of layers) share(tar, join(context, architecture, `${name}.tar`));
  copyFileSync(join(import.meta.dirname, 'Dockerfile'), join(context, 'Dockerfile'));
  const npm = [...npmPackagesOf(root), ...(project ? npmPackagesOf(project.sources) : [])];
  for (const image of images) {
    const name = `${nameOf(image)}-${architecture}`;
    writeFileSync(join(out, `${name}.spdx.json`), `${JSON.stringify(spdx(name, release, packagesOf(image, debian), npm), null, 1)}\n`);
  }

  const table = [
    ...layers.map(({ name, bytes }) => `${mib(bytes).padStart(10)}  layer ${name}`),
    ...images.map(
      (image) => `${mib(sizeOf(image)).padStart(10)}  image ${image.tags[0]} (${image.layers.map(({ name }) => name).join(', ')})`,
    ),
  ];
  writeFileSync(join(out, `sizes-${architecture}.txt`), `${table.join('\n')}\n`);
  console.log(table.join('\n'));
  say(`wrote ${file}`);
  await load(file, architecture, images);
}

async function load(file: string, architecture: Architecture, images: readonly (Image & { config: { id: string } })[]): Promise<void> {
  if (values['no-load'] || architecture !== HERE || !(await engineAnswers())) {
    say(`load the images with: docker load --input ${file}`);
    return;
  }
  const names = images.map(({ tags }) => tags[0]).join(', ');
  const there = await Promise.all(
    images.flatMap(({ tags, config }) => tags.map(async (tag) => (await imageId(tag)) === `sha256:${config.id}`)),
  );
  if (there.every(Boolean)) {
    say(`the engine has ${names} already`);
    return;
  }
  await loadImages(file);
  say(`loaded ${names}`);
}

const nameOf = ({ tags }: Image) => tags[0]?.split(':')[0] ?? '';
const sizeOf = ({ layers }: Image) => layers.reduce((sum, { bytes }) => sum + bytes, 0);

const packagesOf = (image: Image, debian: readonly Layer[]) =>
  debian
    .filter(({ name }) => image.layers.some((layer) => layer.name === name))
    .flatMap(({ name, packages }) => packages.map((one) => ({ ...one, layer: name })));

try {
  await main();
} catch (error) {
  console.error(`docker: ${(error as Error).message}`);
  process.exitCode = 1;
}
