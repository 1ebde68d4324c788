import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BuiltProject } from '@ledge/kit';
import { PROJECT_FOLDER, projectUnits } from './units.ts';

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
