import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, until } from '@ledge/testing';
import { expect, test } from 'vitest';
import { buildAddons, compileAddons, nodeForImage } from './addons.ts';
import { openApt, unpackPackages } from './layers/apt.ts';
import { SUITE } from './layers/recipe.ts';
import { run } from './run.ts';

/** Runs arm64 programs without a machine around them. */
const EMULATOR = 'qemu-aarch64-static';
const canBuild = findProgram('aarch64-linux-gnu-g++') !== undefined && findProgram('make') !== undefined;
const scratch = () => mkdtempSync(join(tmpdir(), 'ledge-addons-test-'));

function contents(folder: string): Record<string, string> {
  const files = globSync('**/*', { cwd: folder, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(
    paths.map((path) => [path.slice(folder.length + 1), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );
}

test.skipIf(!canBuild)('the addons are the same bytes each time, wherever they are built, and only what runs', async () => {
  const libraries = await unpackPackages(await openApt(), ['libsystemd-dev', 'libsystemd0'], SUITE);
  const node = await nodeForImage();
  const [first, second] = [scratch(), join(scratch(), 'another', 'folder')];
  for (const outDir of [first, second]) await compileAddons({ node, libraries: libraries.path, outDir });
  const made = contents(first);
  expect(contents(second)).toEqual(made);
  const packages = ['bindings', 'epoll', 'file-uri-to-path', 'lodash.debounce', 'onoff', 'sd-notify'];
  expect([...new Set(Object.keys(made).map((file) => file.split('/')[1]))]).toEqual(packages);
  expect(Object.keys(made).filter((file) => !/\.(js|json|node|md)$|LICENSE$/.test(file))).toEqual([]);
  for (const file of Object.keys(made).filter((name) => name.endsWith('.node'))) {
    const text = readFileSync(join(first, file), 'latin1');
    expect([tmpdir(), process.cwd(), node].filter((path) => text.includes(`${path}/`))).toEqual([]);
  }
});

test.skipIf(!canBuild || !findProgram(EMULATOR) || !findProgram('socat'))(
  "the box's Node loads them and speaks to systemd by them",
  async () => {
    const outDir = scratch();
    await buildAddons({ outDir });
    const system = await unpackPackages(await openApt(), ['libc6', 'libstdc++6', 'libgcc-s1', 'libsystemd0', 'libcap2'], SUITE);
    const node = join(await nodeForImage(), 'bin', 'node');
    const socket = join(scratch(), 'notify');
    const receiver = spawn('socat', ['-u', `UNIX-RECV:${socket}`, '-'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let heard = '';
    receiver.stdout.on('data', (part) => {
      heard += String(part);
    });
    try {
      await until('the receiver', () => existsSync(socket));
      const script = `
      const require = (await import('node:module')).createRequire('${outDir}/server.mjs');
      const { Epoll } = require('epoll');
      const poller = new Epoll(() => {});
      console.log(process.arch, process.version, poller.closed, typeof require('onoff').Gpio.accessible);
      poller.close();
      const systemd = require('sd-notify');
      systemd.ready();
      systemd.sendStatus('all well');
      systemd.watchdog();
      systemd.stopping(process.pid);`;
      const words = await run(EMULATOR, ['-L', join(system.path, 'usr'), node, '--input-type=module', '-e', script], {
        environment: { NOTIFY_SOCKET: socket, NODE_OPTIONS: '' },
      });
      expect(words.trim()).toMatch(/^arm64 v24\.\d+\.\d+ false boolean$/);
      await until('all four', () => ['READY=1', 'STATUS=all well', 'WATCHDOG=1', 'STOPPING=1'].every((text) => heard.includes(text)));
    } finally {
      receiver.kill();
    }
  },
);
