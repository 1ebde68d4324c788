/** `./build.sh image rpi`: the file that people flash, and what comes out beside it. */
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { layAppFiles, releaseFacts } from './app.ts';
import { layBootFiles, unpackFirmware } from './firmware.ts';
import { buildInitramfs } from './initramfs/build.ts';
import { buildKernel } from './kernel/kernel.ts';
import { openApt } from './layers/apt.ts';
import { buildLayers, unpackLayers, workFolder } from './layers/build.ts';
import { holdToLock, readLock, versionsOf } from './layers/lock.ts';
import { makeBootPartition, makeCard, makeSlot } from './layout/card.ts';
import { buildProjectInto } from './project/build.ts';
import { bundleVersion, plainName } from './project/names.ts';
import { writeReports } from './reports.ts';
import { composeApp, composeExtra, composeSystem, writeFacts } from './root/root.ts';
import { wantRoot } from './run.ts';
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
  wantRoot();
  const work = workFolder();
  try {
    await make(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @param work a folder that is thrown away afterwards */
async function make(work: string): Promise<void> {
  const project = await buildProjectInto(work, values.project);
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
  const built = { ...versionsOf(layers), ...unpacked };
  holdToLock(lock, built, { update: values['update-lock'], refuse: values.locked, say });

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
  writeFileSync(join(out, 'u-boot-qemu.bin'), firmware.ubootQemu);
  writeFileSync(join(out, 'u-boot-rpi.bin'), firmware.ubootPi);
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

try {
  await main();
} catch (error) {
  console.error(`image: ${(error as Error).message}`);
  process.exitCode = 1;
}
