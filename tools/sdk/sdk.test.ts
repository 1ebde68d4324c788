import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { parseDeclarations, readSdk } from './declarations.ts';
import { CHANGELOG_FILE, REFERENCE_FILE, SURFACE_FILE } from './main.ts';
import { referenceText, unplaced } from './reference.ts';
import { accept, linesOf, parseSurface, surfaceText } from './surface.ts';

/** The compiler reads everything once; a busy machine takes its time. */
const COMPILING_MS = 120_000;
const NEXT = 'run: node tools/sdk/main.ts';
let exported: Awaited<ReturnType<typeof readSdk>>;

beforeAll(async () => {
  exported = await readSdk();
}, COMPILING_MS);
const all = () => [...exported.sdk.declarations, ...exported.testing.declarations];

test('the surface does not change without the CHANGELOG saying so', () => {
  const recorded = parseSurface(readFileSync(SURFACE_FILE, 'utf8'));
  const surface = accept(recorded, linesOf(exported), readFileSync(CHANGELOG_FILE, 'utf8'));
  expect(surfaceText(surface), NEXT).toBe(surfaceText(recorded));
});

test('the reference page says what the docstrings say', () => {
  const { version } = parseSurface(readFileSync(SURFACE_FILE, 'utf8'));
  expect(referenceText(exported, version), NEXT).toBe(readFileSync(REFERENCE_FILE, 'utf8'));
});

test('every export and every field of it has a docstring', () => {
  const silent = all().flatMap(({ name, kind, doc, members }) => [
    ...(doc === '' ? [name] : []),
    ...members.filter((member) => member.doc === '' && kind !== 'const').map(({ text }) => `${name}: ${text}`),
  ]);
  expect(silent).toEqual([]);
});

test('whatever an export names is exported, and has its place on the page', () => {
  expect([...exported.sdk.missing, ...exported.testing.missing]).toEqual([]);
  expect(unplaced(exported)).toEqual([]);
});

test('what runs a service needs nothing of a test', () => {
  expect(exported.sdk.handedOn.map(({ from }) => from)).not.toContain('vitest');
  expect(exported.sdk.declarations.map(({ name }) => name)).not.toContain('testService');
});

test('declarations are read as the compiler prints them', () => {
  const text = `import { z } from 'zod';
/** A tile.
 * @throws Problem */
export interface Tile<S> extends Base {
    /** Its {@link Title}. */
    readonly title: string;
    path?: {
        /** inner */
        a: string;
    } | undefined;
    find(name: string): void;
}
export declare class Box {
    #private;
    get size(): number;
}
declare const hidden: number;
export declare function run(options?: {
    quick?: boolean;
}): void;
export declare const WORDS: {
    readonly 'a-b': readonly [1, "{"];
};
export type Way = 'in' | 'out';
`;
  expect(
    parseDeclarations(text).map(({ name, isExported, head, doc, members }) => [name, isExported, head, doc, members.map((m) => m.text)]),
  ).toEqual([
    [
      'Tile',
      true,
      'interface Tile<S> extends Base',
      'A tile.\n@throws Problem',
      ['readonly title: string', 'path?: { a: string; } | undefined', 'find(name: string): void'],
    ],
    ['Box', true, 'class Box', '', ['get size(): number']],
    ['hidden', false, 'const hidden: number', '', []],
    ['run', true, 'function run(options?: { quick?: boolean; }): void', '', []],
    ['WORDS', true, 'const WORDS', '', [`readonly 'a-b': readonly [1, "{"]`]],
    ['Way', true, "type Way = 'in' | 'out'", '', []],
  ]);
  expect(parseDeclarations(text)[0]?.members[0]?.doc).toBe('Its `Title`.');
});
