import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { cacheRoot, sha256 } from '../../cache.ts';
import type { Architecture } from '../../layers/recipe.ts';
import { run } from '../../run.ts';

const MIB = 1024 * 1024;
const RUNTIME_MAX_BYTES = 350 * 1e6;
const SERVICES_MAX_BYTES = 20 * 1e6;
const REBUILT_WITHIN_MS = 30_000;
const HERE: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
const OTHER = HERE === 'amd64' ? { architecture: 'arm64', emulator: 'qemu-aarch64' } : { architecture: 'amd64', emulator: 'qemu-x86_64' };
const root = join(import.meta.dirname, '..', '..', '..');
const out = join(root, 'dist', 'docker');
const NAMES = ['ledge', 'ledge-media', 'ledge-mosquitto'];
const containers = inject('containers');

const docker = async (...args: string[]) => (await run('docker', args, { environment: { DOCKER_HOST: containers?.host ?? '' } })).trim();
const build = (program: string, ...args: string[]) =>
  run(process.execPath, [program, ...args], { environment: { DOCKER_HOST: containers?.host ?? '' } });
const idOf = (image: string) => docker('image', 'inspect', '--format', '{{.Id}}', image);
const inspect = async (image: string) => JSON.parse(await docker('image', 'inspect', image))[0] as Record<string, Record<string, unknown>>;
const inImage = (image: string, script: string, ...options: string[]) =>
  docker('run', '--rm', '--network', 'none', '--read-only', ...options, '--entrypoint', '/usr/bin/node', image, '-p', script);

describe.skipIf(!containers)('images', () => {
  let work: string;
  /** A copy of this checkout, in which nobody else is at work. */
  let copy: string;
  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'ledge-images-'));
    copy = join(work, 'checkout');
    cpSync(root, copy, { recursive: true, filter: (path) => !/\/(node_modules|\.git|dist)$/.test(path) });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  test('keep to their sizes: 350 MB without player, and 20 MB for our services', async () => {
    console.log(readFileSync(join(out, `sizes-${HERE}.txt`), 'utf8'));
    expect((await inspect('ledge:latest')).Size).toBeLessThan(RUNTIME_MAX_BYTES);
    const services = statSync(join(out, 'context', HERE, 'services.tar')).size;
    console.log(`our services are ${(services / MIB).toFixed(1)} MiB`);
    expect(services).toBeLessThan(SERVICES_MAX_BYTES);
  });

  test('share the layers of Debian and Node', async () => {
    const layers = await Promise.all(NAMES.map(async (name) => (await inspect(`${name}:latest`)).RootFS?.Layers as string[]));
    const [plain = []] = layers;
    for (const other of layers) expect(other.slice(0, 2)).toEqual(plain.slice(0, 2));
    for (const other of layers) expect(other).toContain(plain.at(-1));
  });

  test('run as nobody in particular, with nothing that could make them root', async () => {
    for (const name of NAMES) {
      const script = `const { globSync, lstatSync } = require('node:fs');
        [process.getuid(), process.getgid(), ...['/usr/bin/*', '/usr/sbin/*', '/usr/lib/**'].flatMap((pattern) => globSync(pattern))
          .filter((file) => { try { const s = lstatSync(file); return s.isFile() && (s.mode & 0o6000) } catch { return false } })].join()`;
      expect(await inImage(`${name}:latest`, script), name).toBe('10001,10001');
    }
  });

  test('the file for docker load gives an engine that has none of them exactly these images', async () => {
    const before = await Promise.all(NAMES.map((name) => idOf(`${name}:latest`)));
    await docker('image', 'rm', '--force', ...NAMES.flatMap((name) => [`${name}:latest`, `${name}:${version()}`]));
    await docker('load', '--input', join(out, `ledge-${HERE}.tar`));
    expect(await Promise.all(NAMES.map((name) => idOf(`${name}:latest`)))).toEqual(before);
    expect(await Promise.all(NAMES.map((name) => idOf(`${name}:${version()}`)))).toEqual(before);
  });

  test('docker build makes the same image of the folder with layers, and needs no other', async () => {
    const told = ['User', 'Entrypoint', 'WorkingDir', 'StopSignal', 'Healthcheck', 'Env'] as const;
    for (const name of NAMES) {
      const tag = `ledge-test-built-${name}`;
      const context = ['--build-arg', `TARGETARCH=${HERE}`, '--target', name, '--tag', tag, join(out, 'context')];
      await run('docker', ['build', '--quiet', ...context], { environment: { DOCKER_HOST: containers?.host ?? '' } });
      const [built, ours] = [(await inspect(tag)).Config, (await inspect(`${name}:latest`)).Config];
      for (const key of told) expect(withoutNewer(built?.[key]), `${name}: ${key}`).toEqual(withoutNewer(ours?.[key]));
      const list = `require('node:fs').readdirSync('/usr/lib/ledge').join()`;
      expect(await inImage(tag, list)).toBe(await inImage(`${name}:latest`, list));
      await docker('image', 'rm', '--force', tag);
    }
  });

  test('a bill of materials lies beside each, with what is in it and no more', () => {
    const locatorsOf = (name: string) => {
      const { packages } = JSON.parse(readFileSync(join(out, `${name}-${HERE}.spdx.json`), 'utf8')) as {
        packages: { externalRefs?: { referenceLocator: string }[] }[];
      };
      return packages.flatMap(({ externalRefs = [] }) => externalRefs.map(({ referenceLocator }) => referenceLocator.split('@')[0]));
    };
    for (const name of NAMES) expect(locatorsOf(name)).toEqual(expect.arrayContaining(['pkg:deb/debian/libc6', 'pkg:npm/mqtt']));
    expect(NAMES.filter((name) => locatorsOf(name).includes('pkg:deb/debian/mplayer'))).toEqual(['ledge-media']);
    expect(NAMES.filter((name) => locatorsOf(name).includes('pkg:deb/debian/mosquitto'))).toEqual(['ledge-mosquitto']);
  });

  test('are the same bytes when they are made again of the same Debian layers', async () => {
    const sums = [];
    for (const name of ['one', 'other']) {
      const cache = join(work, `${name}-cache`);
      mkdirSync(cache);
      for (const kind of ['layers', 'runtime', 'node', 'unpacked', 'apt', 'apt-amd64'])
        if (existsSync(join(cacheRoot(), kind))) symlinkSync(join(cacheRoot(), kind), join(cache, kind));
      const args = [join(copy, 'image/docker/main.ts'), '--no-load', '--out', join(work, name)];
      await run(process.execPath, args, { environment: { EDGE_CACHE: cache } });
      sums.push(await Promise.all([`ledge-${HERE}.tar`, `ledge-media-${HERE}.spdx.json`].map((file) => sha256(join(work, name, file)))));
    }
    expect(sums[0]).toEqual(sums[1]);
  });

  test('after a change in one service they are built and loaded again within 30 s', async () => {
    const program = join(copy, 'image/docker/main.ts');
    await build(program);
    const main = join(copy, 'services/sse/main.ts');
    writeFileSync(main, `${readFileSync(main, 'utf8')}\nconsole.log('the changed service');\n`);
    const startMs = performance.now();
    await build(program);
    const tookMs = performance.now() - startMs;
    console.log(`rebuilt and loaded after a change in one service: ${Math.round(tookMs)} ms`);
    expect(
      await inImage('ledge:latest', `require('node:fs').readFileSync('/usr/lib/ledge/sse.mjs', 'utf8').includes('the changed service')`),
    ).toBe('true');
    expect(tookMs).toBeLessThan(REBUILT_WITHIN_MS);
    await build(join(root, 'image/docker/main.ts'));
  });

  test.skipIf(!existsSync(`/proc/sys/fs/binfmt_misc/${OTHER.emulator}`))(
    `those for ${OTHER.architecture} run by emulation`,
    { timeout: 1_800_000 },
    async () => {
      await build(join(root, 'image/docker/main.ts'), '--arch', OTHER.architecture);
      try {
        await docker('load', '--input', join(out, `ledge-${OTHER.architecture}.tar`));
        const platform = ['--platform', `linux/${OTHER.architecture}`];
        for (const name of NAMES)
          expect(await inImage(`${name}:latest`, 'process.arch', ...platform)).toBe(OTHER.architecture.replace('amd', 'x'));
        const command = ['--entrypoint', '/usr/bin/mplayer', 'ledge-media:latest'];
        expect(await docker('run', '--rm', '--network', 'none', '--env', 'HOME=/tmp', ...platform, ...command)).toContain('MPlayer');
      } finally {
        await docker('load', '--input', join(out, `ledge-${HERE}.tar`));
      }
    },
  );
});

const version = () => (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;

/** What engines before 25 do not know. */
function withoutNewer(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { StartInterval: _, ...rest } = value as Record<string, unknown>;
  return rest;
}
