import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, contentKey } from '../cache.ts';
import { run } from '../run.ts';
import { type Apt, sourcesList } from './apt.ts';
import { CARD_ARCHITECTURE, DPKG_OPTIONS, LAYERS, type LayerName, type LayerRecipe, SUITE } from './recipe.ts';
import { buildStandIns } from './stand-ins.ts';

const here = import.meta.dirname;
/** dpkg-query(1): one line a package, read by {@link parsePackages}; its own placeholders, not ours. */
const PACKAGE_FORMAT = ['Package', 'Version', 'Architecture', 'Installed-Size']
  .map((field) => `\${${field}}`)
  .join(' ')
  .concat('\\n');
/** Raised when the code here makes other layers from the same recipe. */
const RECIPE_EDITION = 1;
const FAST_FOLDER = '/dev/shm';
const WANTED_FREE_BYTES = 4 * 1024 ** 3;

export interface InstalledPackage {
  name: string;
  version: string;
  architecture: string;
  installedKib: number;
}

/** A built layer: `tar` holds what it adds to those below it, `packages` which packages those are. */
export interface Layer {
  name: LayerName;
  tar: string;
  packages: InstalledPackage[];
  fresh: boolean;
}

export interface LayerOptions {
  /** The layers are for its architecture. */
  apt: Apt;
  /** Seconds since 1970: every file that the build makes bears this time or an earlier one. */
  epochS: number;
  say(text: string): void;
}

/** A folder for work that is thrown away: in memory where there is enough of it, as dpkg syncs a lot. */
export function workFolder(): string {
  const roomy = existsSync(FAST_FOLDER) && statfsSync(FAST_FOLDER).bavail * statfsSync(FAST_FOLDER).bsize > WANTED_FREE_BYTES;
  return mkdtempSync(join(roomy ? FAST_FOLDER : tmpdir(), 'ledge-image-'));
}

/** tar as every layer is written: sorted, owners by number, no time later than the epoch; capabilities are the only attributes kept. */
export const tarOptions = (epochS: number) => [
  '--sort=name',
  '--numeric-owner',
  '--format=posix',
  '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
  `--mtime=@${epochS}`,
  '--clamp-mtime',
  '--xattrs',
  '--xattrs-include=security.capability',
];

/** Builds the named layers and all below them, or takes them from the cache. Lowest first. */
export async function buildLayers(names: readonly LayerName[], options: LayerOptions): Promise<Layer[]> {
  const built = new Map<string, Layer>();
  const keys = new Map<string, string>();
  for (const recipe of LAYERS) {
    if (
      !names.some((name) => name === recipe.name || LAYERS.find((layer) => layer.name === name)?.on.some((below) => below === recipe.name))
    )
      continue;
    const below = recipe.on.map((name) => built.get(name)).filter((layer) => layer !== undefined);
    const { architecture } = options.apt;
    const key = contentKey({
      values: [
        ...[SUITE, DPKG_OPTIONS, recipe, options.epochS, recipe.on.map((name) => keys.get(name)), RECIPE_EDITION],
        ...(architecture === CARD_ARCHITECTURE ? [] : [architecture]),
      ],
      files: [join(here, 'install.sh'), ...('standIns' in recipe ? [join(here, 'stand-ins.ts')] : [])],
    });
    keys.set(recipe.name, key);
    built.set(recipe.name, await buildLayer(recipe, key, below, options));
  }
  return [...built.values()];
}

async function buildLayer(
  recipe: LayerRecipe & { name: LayerName },
  key: string,
  below: readonly Layer[],
  options: LayerOptions,
): Promise<Layer> {
  const startMs = performance.now();
  const { path, fresh } = await cached('layers', `${recipe.name}-${key}`, async (draft) => {
    options.say(`building the layer ${recipe.name} (${recipe.packages.length} packages and what they need)`);
    mkdirSync(draft, { recursive: true });
    const work = workFolder();
    try {
      if (recipe.on.length === 0) await bootstrap(recipe, draft, work, options);
      else await install(recipe, below, draft, work, options);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  if (fresh) options.say(`the layer ${recipe.name} took ${Math.round((performance.now() - startMs) / 1000)} s`);
  const lower = new Set(below.flatMap((layer) => layer.packages.map(({ name }) => name)));
  const packages = parsePackages(readFileSync(join(path, 'packages.txt'), 'utf8')).filter(({ name }) => !lower.has(name));
  return { name: recipe.name, tar: join(path, 'layer.tar'), packages, fresh };
}

/** Lines of `name version architecture KiB`, as `install.sh` writes them. */
export function parsePackages(text: string): InstalledPackage[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', version = '', architecture = '', kib = '0'] = line.split(' ');
      return { name, version, architecture, installedKib: Number(kib) };
    });
}

/** The lowest layer: Debian's essential packages and a few more, without apt. */
async function bootstrap(recipe: LayerRecipe, draft: string, work: string, { apt, epochS }: LayerOptions): Promise<void> {
  const root = join(work, 'root.tar');
  const folder = join(work, 'root');
  await run(
    'mmdebstrap',
    [
      `--architectures=${apt.architecture}`,
      '--variant=essential',
      '--format=tar',
      '--aptopt=APT::Install-Recommends "false"',
      ...DPKG_OPTIONS.map((option) => `--dpkgopt=${option}`),
      `--include=${recipe.packages.join(',')}`,
      SUITE,
      root,
      '-',
    ],
    { input: sourcesList(apt.mirrors), environment: { TMPDIR: work, SOURCE_DATE_EPOCH: String(epochS) }, logFile: join(work, 'log') },
  ).catch(async (error: unknown) => {
    throw new Error(`the base system could not be made: ${readFileSync(join(work, 'log'), 'utf8').slice(-3000)}`, { cause: error });
  });
  mkdirSync(folder);
  await run('tar', ['-xpf', root, '-C', folder, '--xattrs', '--xattrs-include=*', '--exclude=./dev/*']);
  const list = await run('dpkg-query', [`--admindir=${folder}/var/lib/dpkg`, '-W', '-f', PACKAGE_FORMAT]);
  writeFileSync(join(draft, 'packages.txt'), list);
  for (const path of ['etc/apt', 'var/lib/apt', 'var/cache/apt', 'etc/dpkg/dpkg.cfg.d/99mmdebstrap', 'etc/hostname', 'etc/resolv.conf'])
    rmSync(join(folder, path), { recursive: true, force: true });
  await pack(folder, join(draft, 'layer.tar'), epochS);
}

async function install(
  recipe: LayerRecipe,
  below: readonly Layer[],
  draft: string,
  work: string,
  { apt, epochS }: LayerOptions,
): Promise<void> {
  const folders = await unpackLayers(below, work);
  const [upper, overlay, merged] = ['upper', 'overlay', 'merged'].map((name) => join(work, name)) as [string, string, string];
  for (const folder of [upper, overlay, merged]) mkdirSync(folder);
  const logFile = join(work, 'log');
  const standIns = recipe.standIns ? [join(merged, 'var/cache/apt/archives', await buildStandIns(recipe.standIns, apt, work, epochS))] : [];
  await run('unshare', ['--mount', '--propagation', 'private', 'sh', join(here, 'install.sh'), ...standIns, ...recipe.packages], {
    environment: {
      ...apt.environment(merged),
      SOURCE_DATE_EPOCH: String(epochS),
      LOWER: [...folders].reverse().join(':'),
      UPPER: upper,
      WORK: overlay,
      MERGED: merged,
      ARCHIVES: apt.archives,
      PACKAGES: join(draft, 'packages.txt'),
      DPKG_OPTIONS: DPKG_OPTIONS.join('\n'),
      TMPDIR: '/tmp',
    },
    logFile,
  }).catch((error: unknown) => {
    throw new Error(`the layer ${recipe.name} could not be made: ${readFileSync(logFile, 'utf8').slice(-3000)}`, { cause: error });
  });
  await pack(upper, join(draft, 'layer.tar'), epochS);
}

/** Unpacks layers side by side below a folder; the answer is in the same order. */
export async function unpackLayers(layers: readonly { name: string; tar: string }[], work: string): Promise<string[]> {
  const folders: string[] = [];
  for (const { name, tar } of layers) {
    const folder = join(work, `layer-${name}`);
    mkdirSync(folder, { recursive: true });
    await run('tar', ['-xpf', tar, '-C', folder, '--numeric-owner', '--xattrs', '--xattrs-include=*']);
    folders.push(folder);
  }
  return folders;
}

async function pack(folder: string, tar: string, epochS: number): Promise<void> {
  await run('tar', ['-cf', tar, ...tarOptions(epochS), '-C', folder, '.']);
}
