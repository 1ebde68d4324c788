import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROJECT_FOLDER } from '@ledge/host/linux/image-facts.ts';
import type { BuiltProject } from '@ledge/kit';
import { projectUnits } from './units.ts';

/** Lays a built project, and what makes services of it, into a folder as they will be in the root. */
export function layProject(project: BuiltProject, out: string): void {
  cpSync(project.dir, join(out, PROJECT_FOLDER), { recursive: true });
  writeTexts(projectUnits(project), out);
}

export function writeTexts(texts: Readonly<Record<string, string>>, out: string): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(out, path)), { recursive: true });
    writeFileSync(join(out, path), text);
  }
}
