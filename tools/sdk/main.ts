/** Records the surface of `@ledge/sdk` and writes its reference page. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readSdk } from './declarations.ts';
import { referenceText } from './reference.ts';
import { accept, linesOf, parseSurface, surfaceText } from './surface.ts';

const USAGE = `Usage: node tools/sdk/main.ts

Writes system/sdk/REFERENCE.md from the docstrings, and system/sdk/surface.txt from what @ledge/sdk exports. When that changed, CHANGELOG.md must
say so first: a heading "### SDK x.y.z" with a version that is high enough.`;

const root = join(import.meta.dirname, '..', '..');
export const SURFACE_FILE = join(root, 'system', 'sdk', 'surface.txt');
export const REFERENCE_FILE = join(root, 'system', 'sdk', 'REFERENCE.md');
export const CHANGELOG_FILE = join(root, 'CHANGELOG.md');

async function record(): Promise<void> {
  const exported = await readSdk();
  const recorded = parseSurface(readFileSync(SURFACE_FILE, 'utf8'));
  const surface = accept(recorded, linesOf(exported), readFileSync(CHANGELOG_FILE, 'utf8'));
  writeFileSync(SURFACE_FILE, surfaceText(surface));
  writeFileSync(REFERENCE_FILE, referenceText(exported, surface.version));
  console.log(`@ledge/sdk ${surface.version}: ${surface.lines.length} lines of surface`);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { help: { type: 'boolean' } } });
  if (values.help) console.log(USAGE);
  else {
    await record().catch((error: Error) => {
      console.error(error.message);
      process.exitCode = 1;
    });
  }
}
