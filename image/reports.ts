import { statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ReleaseFacts } from './app.ts';
import { sha256 } from './cache.ts';
import type { Firmware } from './firmware.ts';
import type { Kernel } from './kernel/kernel.ts';
import type { DebianPackage } from './layers/apt.ts';
import type { Layer } from './layers/build.ts';
import { imagerManifest } from './reports/imager.ts';
import { sizeTable } from './reports/sizes.ts';
import { npmPackagesOf, spdx } from './reports/spdx.ts';
import type { Squashfs } from './root/root.ts';
import { run } from './run.ts';
import { type SigningKeys, sign } from './update/keys.ts';

export interface ReportParts {
  out: string;
  /** What the files are called: `ledge-rpi`, or after the project. */
  name: string;
  card: string;
  bundle: string;
  compress: boolean;
  keys: SigningKeys;
  layers: readonly Layer[];
  kernel: Kernel;
  firmware: Firmware;
  /** In place of packages of the same name in the layers. */
  updater: readonly DebianPackage[];
  system: Squashfs;
  app: Squashfs;
  kiosk: Squashfs | undefined;
  release: ReleaseFacts;
  slotFolder: string;
  root: string;
  /** Folder of the project's sources. */
  project: string | undefined;
  say(text: string): void;
}

/** Writes what lies beside the image: package list, SBOM, sizes, the compressed download, Imager's manifest, checksums and their signature. */
export async function writeReports(parts: ReportParts): Promise<void> {
  const { out, name, card, bundle, layers, kernel, firmware, updater, release, say } = parts;
  const debian = [
    ...layers
      .flatMap((layer) => layer.packages.map((p) => ({ ...p, layer: layer.name })))
      .map((p) => {
        const newer = updater.find((other) => other.name === p.name);
        return newer ? { ...p, version: newer.version, layer: 'updater' } : p;
      }),
    ...[...kernel.packages, ...firmware.packages].map((p) => ({ ...p, architecture: 'arm64', installedKib: 0, layer: 'unpacked' })),
  ];
  writeFileSync(
    join(out, 'packages.txt'),
    `${debian
      .map((p) => `${p.name} ${p.version} ${p.architecture} ${p.layer}`)
      .sort()
      .join('\n')}\n`,
  );
  const npm = [...npmPackagesOf(parts.root), ...(parts.project ? npmPackagesOf(parts.project) : [])];
  writeFileSync(join(out, `${name}.spdx.json`), `${JSON.stringify(spdx(name, release, debian, npm), null, 1)}\n`);
  writeFileSync(join(out, 'sizes.txt'), sizeTable(parts, debian));

  const files = [card, bundle];
  if (parts.compress) {
    const download = `${card}.xz`;
    // what is in the slot is packed already: the strongest level would cost minutes and save nothing
    await run('sh', ['-c', 'exec xz -T0 -1 -c -- "$1" >"$2"', 'sh', card, download]);
    const mib = statSync(download).size / 1024 / 1024;
    say(`compressed: ${mib.toFixed(1)} MiB to download`);
    writeFileSync(
      join(out, `${name}.rpi-imager-manifest`),
      `${JSON.stringify(await imagerManifest({ release, card, download }), null, 2)}\n`,
    );
    files.push(download);
  }
  const sums = await Promise.all(
    [...files, ...['packages.txt', `${name}.spdx.json`].map((file) => join(out, file))].map(
      async (file) => `${await sha256(file)}  ${basename(file)}`,
    ),
  );
  writeFileSync(join(out, 'SHA256SUMS'), `${sums.join('\n')}\n`);
  await sign(join(out, 'SHA256SUMS'), parts.keys);
}
