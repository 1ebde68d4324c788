/** `./build.sh image rpi`: the file that people flash, and what comes out beside it. */
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readBuiltProject } from '@ledge/kit';
import { buildProject } from '../tools/project.ts';
import { layAppFiles, releaseFacts } from './app.ts';
import { layBootFiles, unpackFirmware } from './firmware.ts';
import { buildInitramfs } from './initramfs/build.ts';
import { buildKernel } from './kernel/kernel.ts';
import { openApt } from './layers/apt.ts';
import { buildLayers, unpackLayers, workFolder } from './layers/build.ts';
import { differences, type Lock, readLock, writeLock } from './layers/lock.ts';
import { makeBootPartition, makeCard, makeSlot } from './layout/card.ts';
import { bundleVersion, plainName } from './project/names.ts';
import { writeReports } from './reports.ts';
import { composeApp, composeExtra, composeSystem, writeFacts } from './root/root.ts';
import { buildRadioFirmware, buildRuntime, buildUpdater } from './runtime.ts';
import { makeBundle } from './update/bundle.ts';
import { signingKeys } from './update/keys.ts';

const USAGE = `Usage: ./build.sh image rpi [--project DIR] [--kiosk] [--out DIR] [--no-compress] [--locked | --update-lock]

Makes the SD-card image for Raspberry Pi 3, Zero 2 W, 4 and 5, and what belongs to it, in dist/image/.
  --project DIR   with the services, drivers and things of your own project in it; the files are called after it,
                  in dist/image/<its name>/
  --kiosk         with a browser for a screen of the box's own
  --out DIR       another folder
  --no-compress   without the compressed download (faster)
  --locked        refuse package versions other than those in image/layers/lock.json
  --update-lock   write what was built into that file

Needs Linux and root (for chroot and overlay mounts). Layers are cached in EDGE_CACHE (default ~/.cache/ledge).
EDGE_DEBIAN_MIRROR names a Debian mirror, EDGE_KEYS a folder with keys to sign with.`;

const root = join(import.meta.dirname, '..');
const startMs = performance.now();
const say = (text: string) => console.log(`[${Math.round((performance.now() - startMs) / 1000)} s] ${text}`);

const { values, positionals } = parseArgs({
  options: {
    project: { type: 'string' },
    kiosk: { type: 'boolean', default: false },
    out: { type: 'string' },
    'no-compress': { type: 'boolean', default: false },
    locked: { type: 'boolean', default: false },
    'update-lock': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

async function main(): Promise<void> {
  if (values.help) {
    console.log(USAGE);
    return;
  }
  if (positionals[0] !== 'rpi') throw new Error(`${positionals[0] ?? 'nothing'} is asked for; rpi is what can be made. --help says more.`);
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('Images are made on Linux, as root: chroot and overlay mounts need it.');
  const work = workFolder();
  try {
    await make(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Builds the project first, as what is wrong with it is somebody's to mend. */
async function projectIn(work: string) {
  if (values.project === undefined) return undefined;
  const sources = resolve(values.project);
  await buildProject(sources, join(work, 'project'));
  return { sources, built: readBuiltProject(join(work, 'project')) };
}

/** @param work a folder that is thrown away afterwards */
async function make(work: string): Promise<void> {
  const project = await projectIn(work);
  const folder = project ? plainName(project.built.name) : '';
  const name = `${folder || 'ledge'}-rpi`;
  const out = values.out ?? join(root, 'dist', 'image', folder);
  mkdirSync(out, { recursive: true });
  const lock = readLock();
  const epochS = Date.parse(lock.date) / 1000;

  const apt = await openApt();
  const layers = await buildLayers(values.kiosk ? ['media', 'kiosk'] : ['media'], { apt, epochS, say });
  const firmware = await unpackFirmware(apt);
  const kernel = await buildKernel(apt, epochS);
  const updater = await buildUpdater(epochS);
  const unpacked = {
    updater: Object.fromEntries(updater.packages.map(({ name, version }) => [name, version])),
    kernel: Object.fromEntries([...kernel.packages, ...firmware.packages].map(({ name, version }) => [name, version])),
  };
  checkLock(lock, {
    ...Object.fromEntries(layers.map(({ name, packages }) => [name, Object.fromEntries(packages.map((p) => [p.name, p.version]))])),
    ...unpacked,
  });

  const runtime = await buildRuntime(epochS);
  const radio = await buildRadioFirmware(firmware.path, epochS);
  const below = [...layers.filter((layer) => layer.name !== 'kiosk'), { name: 'modules', tar: kernel.tar }, radio, updater, runtime];
  const system = await composeSystem(below, epochS);
  if (system.fresh) say('packed the system');
  const kioskLayer = layers.find((layer) => layer.name === 'kiosk');
  const kiosk = kioskLayer && (await composeExtra(kioskLayer, epochS));

  const keys = await signingKeys();
  const release = await releaseFacts(root, values.kiosk, project);
  const appFiles = join(work, 'app');
  await layAppFiles({
    ...{ root, out: appFiles, release: release.facts, keyring: keys.keyring, kiosk: values.kiosk },
    project: project?.built,
  });
  const app = await composeApp(system, appFiles, release.epochS);
  say('laid the services over it');

  const slotFolder = join(work, 'slot');
  mkdirSync(join(slotFolder, 'dtbs'), { recursive: true });
  for (const [from, file] of [
    [kernel.image, 'Image.lz4'],
    [system.file, 'system.squashfs'],
    [app.file, 'app.squashfs'],
    ...(kiosk ? [[kiosk.file, 'kiosk.squashfs']] : []),
  ] as [string, string][])
    copyFileSync(from, join(slotFolder, file));
  cpSync(kernel.dtbs, join(slotFolder, 'dtbs'), { recursive: true });
  const roots = await unpackLayers(
    layers.filter((layer) => layer.name === 'base' || layer.name === 'machine'),
    work,
  );
  writeFileSync(
    join(slotFolder, 'initrd.img'),
    await buildInitramfs({ roots: roots.reverse(), busybox: firmware.busybox, kernelRoot: kernel.root, release: kernel.release, epochS }),
  );
  writeFacts(join(slotFolder, 'slot.json'), release.facts);
  const slot = join(out, 'slot.img');
  await makeSlot(slotFolder, slot, release.epochS);

  const bootFolder = join(work, 'boot');
  await layBootFiles(bootFolder, firmware, kernel, epochS);
  const boot = join(work, 'boot.vfat');
  await makeBootPartition(bootFolder, boot, release.epochS);
  const card = join(out, `${name}.img`);
  await makeCard({ boot, slot, out: card });
  copyFileSync(firmware.ubootQemu, join(out, 'u-boot-qemu.bin'));
  copyFileSync(firmware.ubootPi, join(out, 'u-boot-rpi.bin'));
  say('put the card together');

  const bundle = join(out, `${name}.raucb`);
  await makeBundle({ slot, version: bundleVersion(release.facts), build: release.facts.commit, out: bundle, keys });
  say('made the update bundle');
  await writeReports({
    ...{ out, name, card, bundle, compress: !values['no-compress'], keys, layers, kernel, firmware, updater: updater.packages },
    ...{ system, app, kiosk, release: release.facts, slotFolder, root, project: project?.sources, say },
  });
  say(`done: ${card}`);
}

function checkLock(lock: Lock, built: Lock['layers']): void {
  const changed = differences(lock, built);
  if (changed.length === 0) return;
  if (values['update-lock']) {
    writeLock({ date: lock.date, layers: { ...lock.layers, ...built } });
    say(`the lock file has ${changed.length} new entries`);
    return;
  }
  console.log(`Built otherwise than image/layers/lock.json says (${changed.length}):\n  ${changed.join('\n  ')}`);
  if (values.locked) throw new Error('Package versions differ from the lock file; --update-lock writes them there.');
}

try {
  await main();
} catch (error) {
  console.error(`image: ${(error as Error).message}`);
  process.exitCode = 1;
}
