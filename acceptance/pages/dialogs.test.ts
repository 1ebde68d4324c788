import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DIALOGS } from './dialogs.ts';

const WEBUI = join(import.meta.dirname, '..', '..', 'webui');
/** Where dialogs and questions are made of what others say. */
const MAKER = join('components', 'dialog.ts');
const PLACES = [
  /<\$\{Dialog\} .*?title=\$\{(.*?)\}(?= |>)/g,
  /\bconfirmed\(\{\s*title(?:: (.*?))?,\s*text\b/g,
  /<dialog .*? aria-labelledby="(.*?)"/g,
];
/** Each of them in whatever form; one that {@link PLACES} cannot read must not be passed over. */
const ANY_FORM = /<\$\{Dialog\}|\bconfirmed\(|<dialog\b|role="(?:alert)?dialog"/g;

/** Titles of the dialogs of a file, as it says them. */
function placesIn(file: string): string[] {
  const source = readFileSync(join(WEBUI, file), 'utf8');
  const places = PLACES.flatMap((form) =>
    [...source.matchAll(form)].map(([, title = 'title']) => `${file.replaceAll('\\', '/')}: ${title}`),
  );
  expect(places.length, `dialogs of webui/${file} that can be read`).toBe(source.match(ANY_FORM)?.length ?? 0);
  return places;
}

const sources = readdirSync(WEBUI, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== MAKER,
);
const inSources = new Set(sources.flatMap(placesIn));
const inTable = new Set(DIALOGS.map(({ place }) => place));

test('every dialog and every question of the pages is in the table of dialogs', () => {
  const missing = [...inSources].filter((place) => !inTable.has(place));
  expect(missing.map((place) => `webui/${place} is a dialog that no entry of acceptance/pages/dialogs.ts opens`)).toEqual([]);
});

test('the table of dialogs names none that is not there, and no name twice', () => {
  expect([...inTable].filter((place) => !inSources.has(place))).toEqual([]);
  expect(new Set(DIALOGS.map(({ name }) => name)).size).toBe(DIALOGS.length);
});
