import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workFolder } from '../layers/build.ts';
import { run } from '../run.ts';
import type { SigningKeys } from './keys.ts';

/** Only boxes that say the same take a bundle (RAUC reference, "compatible"). */
export const COMPATIBLE = 'ledge-arm64';

/**
 * A signed update (RAUC bundle, format verity) that holds one slot.
 * @param slot file system of the slot, as {@link makeSlot} makes it
 */
export async function makeBundle(parts: { slot: string; version: string; build: string; out: string; keys: SigningKeys }): Promise<void> {
  const work = workFolder();
  try {
    const content = join(work, 'bundle');
    mkdirSync(content);
    copyFileSync(parts.slot, join(content, 'system.img'));
    writeFileSync(
      join(content, 'manifest.raucm'),
      [
        '[update]',
        `compatible=${COMPATIBLE}`,
        `version=${parts.version}`,
        `build=${parts.build}`,
        '',
        '[bundle]',
        'format=verity',
        '',
        '[image.system]',
        'filename=system.img',
        '',
      ].join('\n'),
    );
    rmSync(parts.out, { force: true });
    await run('rauc', [
      'bundle',
      `--cert=${parts.keys.certificate}`,
      `--key=${parts.keys.key}`,
      `--keyring=${parts.keys.keyring}`,
      content,
      parts.out,
    ]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
