/** A user's own project: what is in its folder, and the built folder that is made of it. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { ID_PATTERN, Problem, shown } from '@ledge/contract';
import { PROJECT_FILE, type ProjectManifest, serviceNameFault, writeFileAtomic } from '@ledge/kit';
import { type BuildFailure, type BuildOptions, build, type Message, type Plugin } from 'esbuild';
import { z } from 'zod';
import { bundleOptions, root } from './bundle.ts';

/** Resident set size, when the project's package.json says none. */
const MEMORY_LIMIT_MB = 160;
export const BUILT_IN_DRIVERS = ['system', 'gpio', 'w1', 'iio', 'hwmon', 'mqtt', 'http', 'serial', 'simulated'];

const packageSchema = z.object({
  name: z.string().min(1),
  version: z.string().min(1),
  /** Ours: `"ledge": { "memoryLimitMb": { "hello": 256 } }`. */
  ledge: z.object({ memoryLimitMb: z.record(z.string(), z.int().min(16)).default({}) }).default({ memoryLimitMb: {} }),
});

/** A project as its folder says it. Paths are absolute. */
export interface Project {
  dir: string;
  name: string;
  version: string;
  services: { name: string; file: string; memoryLimitMb: number }[];
  drivers: { name: string; file: string }[];
  /** Names of thing files. */
  things: string[];
  hasConfig: boolean;
}

const mistake = (sentence: string, cause?: unknown) => new Problem('config-invalid', sentence, { cause });
const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
const visible = (dir: string) => (isFolder(dir) ? readdirSync(dir).filter((name) => !name.startsWith('.')) : []).sort();

/** @throws Problem `config-invalid` with a sentence that says what is wrong with the folder */
export function readProject(path: string): Project {
  const dir = resolve(path);
  if (!isFolder(dir)) throw mistake(`${dir} is no folder; the folder of a project is wanted (./build.sh new makes one)`);
  const about = readPackage(dir);
  const { memoryLimitMb } = about.ledge;
  const services = visible(join(dir, 'services'))
    .filter((name) => isFolder(join(dir, 'services', name)))
    .map((name) => ({ name, file: serviceFile(dir, name), memoryLimitMb: memoryLimitMb[name] ?? MEMORY_LIMIT_MB }));
  // EDGE_RAIN_GAUGE_X would be a setting of both
  const [long, short] =
    services.flatMap(({ name: a }) => services.flatMap(({ name: b }) => (a.startsWith(`${b}-`) ? [[a, b]] : [])))[0] ?? [];
  if (long)
    throw mistake(
      `services/${long}: the name begins with that of services/${short}, and their settings could be mixed up; another one is wanted`,
    );
  const stranger = Object.keys(memoryLimitMb).find((name) => !services.some((service) => service.name === name));
  if (stranger !== undefined) throw mistake(`package.json: ledge.memoryLimitMb names ${shown(stranger)}; there is no services/${stranger}`);
  const drivers = visible(join(dir, 'drivers'))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => ({ name: driverName(name), file: join(dir, 'drivers', name) }));
  const things = visible(join(dir, 'things')).filter((name) => name.endsWith('.yaml'));
  return { dir: realpathSync(dir), ...about, services, drivers, things, hasConfig: existsSync(join(dir, 'ledge.yaml')) };
}

function readPackage(dir: string): z.output<typeof packageSchema> {
  const file = join(dir, 'package.json');
  if (!existsSync(file)) throw mistake(`${dir} has no package.json with name and version, so it is no project (./build.sh new makes one)`);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw mistake(`${file} is no JSON: ${(cause as Error).message}`, cause);
  }
  const result = packageSchema.safeParse(content);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw mistake(`${file}: ${issue?.path.join('.')}: ${issue?.message.replace(/^Invalid input: /, '')}`, result.error);
}

function serviceFile(dir: string, name: string): string {
  const fault = serviceNameFault(name);
  if (fault) throw mistake(`services/${name}: the folder's name is ${shown(name)}, and a service has the name of its folder; ${fault}`);
  const file = join(dir, 'services', name, 'service.ts');
  if (existsSync(file)) return file;
  throw mistake(`services/${name} has no service.ts; code that services share belongs beside services/, such as into lib/`);
}

function driverName(fileName: string): string {
  const name = fileName.slice(0, -'.ts'.length);
  const fault = driverNameFault(name);
  if (fault) throw mistake(`drivers/${fileName}: a driver has the name of its file; ${fault}`);
  return name;
}

/** Why a driver of somebody's own cannot have this name, as the second half of a sentence; undefined when it can. */
export function driverNameFault(name: string): string | undefined {
  if (!ID_PATTERN.test(name)) return 'lower-case letters, digits and hyphens are wanted, such as wifi-signal';
  return BUILT_IN_DRIVERS.includes(name) ? `a driver ${name} is built in; another name is wanted` : undefined;
}

const ENTRY = 'ledge-entry:';
/** The framework's own files, as the entries of a project name them. */
const framework = (path: string) => JSON.stringify(join(root, path));

function entries(project: Project): Record<string, string> {
  const services = project.services.map(({ name, file }) => [
    name,
    `import { mainOfProject } from ${framework('system/kit/project.ts')};
import service from ${JSON.stringify(file)};
await mainOfProject(${JSON.stringify(name)}, service);`,
  ]);
  // each is loaded for itself: one that fails takes neither the others nor ours with it
  const loaders = project.drivers.map(({ name, file }) => `${JSON.stringify(name)}: () => import(${JSON.stringify(file)})`);
  const device = `import { mainWithDrivers } from ${framework('services/device/main-with-drivers.ts')};
await mainWithDrivers({ ${loaders.join(', ')} });`;
  return Object.fromEntries([...services, ...(loaders.length > 0 ? [['device', device]] : [])]);
}

/** What a project may import of ours is `@ledge/sdk`, which is the framework's own source, wherever the project keeps it. */
function frameworkOf(project: Project, entry: Record<string, string>): Plugin {
  const own = (file: string) =>
    file.startsWith(project.dir + sep) && !file.startsWith(join(project.dir, 'ledge') + sep) && !file.startsWith(root + sep);
  return {
    name: 'ledge-project',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${ENTRY}`) }, ({ path }) => ({ path: path.slice(ENTRY.length), namespace: 'ledge-entry' }));
      onLoad({ filter: /.*/, namespace: 'ledge-entry' }, ({ path }) => ({ contents: entry[path] ?? '', resolveDir: root, loader: 'ts' }));
      onResolve({ filter: /^@ledge\// }, ({ path, importer }) => {
        if (path === '@ledge/sdk') return { path: join(root, 'system', 'sdk', 'index.ts') };
        if (path === '@ledge/sdk/testing.ts') return { path: join(root, 'system', 'sdk', 'testing.ts') };
        return own(importer) ? { errors: [{ text: `${path} is not for projects; @ledge/sdk has what they may use` }] } : undefined;
      });
    },
  };
}

function projectBundle(project: Project) {
  const entry = entries(project);
  return {
    ...bundleOptions,
    entryPoints: Object.fromEntries(Object.keys(entry).map((name) => [name, ENTRY + name])),
    plugins: [frameworkOf(project, entry), ...bundleOptions.plugins],
    // names within bundles are relative to it: the same project gives the same bundles wherever it lies
    absWorkingDir: project.dir,
    outdir: join(project.dir, 'dist'),
    tsconfigRaw: '{}',
    write: false,
    logLevel: 'silent',
  } satisfies BuildOptions;
}

function sentence({ text, location }: Message): string {
  const noDefault = /^No matching export in "(?:.*:)?([^"]+)" for import "default"/.exec(text)?.[1];
  if (noDefault) return `${noDefault} has no default export; export default defineService({ … }) is wanted`;
  return `${location ? `${location.file}:${location.line}: ` : ''}${text}`;
}

export interface Built {
  manifest: ProjectManifest;
  /** Every file that a bundle was made of, relative to the project. */
  inputs: string[];
}

/**
 * Builds a project into `outDir`, from where it runs by itself: nothing of the project's own folder is needed any more. `project.json` comes last and whole,
 * so whoever watches it sees only complete projects.
 * @throws Problem `config-invalid`, one sentence for each mistake with its place
 */
export async function buildProject(dir: string, outDir: string): Promise<Built> {
  const project = readProject(dir);
  const bundles = new Map<string, Uint8Array>();
  let inputs: string[] = [];
  if (project.services.length + project.drivers.length > 0) {
    const result = await build(projectBundle(project)).catch((failure: BuildFailure) => {
      if (!Array.isArray(failure.errors)) throw failure;
      throw mistake(failure.errors.map(sentence).join('\n'), failure);
    });
    for (const { path, contents } of result.outputFiles) bundles.set(basename(path), contents);
    inputs = Object.keys(result.metafile.inputs);
  }
  mkdirSync(outDir, { recursive: true });
  const made = (name: string) => {
    const module = `${name}.mjs`;
    const contents = bundles.get(module) ?? new Uint8Array();
    put(join(outDir, module), contents);
    return { module, sha256: createHash('sha256').update(contents).digest('hex') };
  };
  const manifest: ProjectManifest = {
    name: project.name,
    version: project.version,
    services: project.services.map(({ name, memoryLimitMb }) => ({ name, ...made(name), memoryLimitMb })),
    drivers: project.drivers.map(({ name }) => name),
    ...(project.drivers.length > 0 ? { device: made('device') } : {}),
  };
  layFiles(project, outDir);
  writeFileAtomic(join(outDir, PROJECT_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const name of readdirSync(outDir)) if (name.endsWith('.mjs') && !bundles.has(name)) rmSync(join(outDir, name));
  return { manifest, inputs };
}

/** Writes only what is another one, so that nobody who watches sees a change where there is none. */
function put(file: string, content: Uint8Array): void {
  if (!existsSync(file) || !readFileSync(file).equals(content)) writeFileAtomic(file, content);
}

function layFiles(project: Project, outDir: string): void {
  const things = join(outDir, 'things');
  for (const name of project.things) put(join(things, name), readFileSync(join(project.dir, 'things', name)));
  for (const name of visible(things)) if (!project.things.includes(name)) rmSync(join(things, name));
  if (project.hasConfig) put(join(outDir, 'ledge.yaml'), readFileSync(join(project.dir, 'ledge.yaml')));
  else rmSync(join(outDir, 'ledge.yaml'), { force: true });
}

/**
 * The folders whose changes make another project, whether or not it can be built as it is.
 * @param inputs of the last build that succeeded
 */
export function sourceDirs(dir: string, inputs: readonly string[]): string[] {
  const isOwn = (file: string) => !/^\.\.|^(ledge|dist)\/|(^|\/)node_modules\/|^[\w-]+:/.test(file);
  const services = visible(join(dir, 'services')).map((name) => `services/${name}`);
  const places = ['.', 'services', 'drivers', 'things', ...services, ...inputs.filter(isOwn).map(dirname)];
  return [...new Set(places.map((place) => join(dir, place)))].filter(isFolder);
}
