import { describe, expect, test } from 'vitest';
import { accept, compare, linesOf, lowestNext, newestEntry, parseSurface, surfaceText } from './surface.ts';

const LINES = [
  'Driver: readonly name: string',
  'Running: stop?(): void',
  'const defineService: () => void',
  'interface Driver',
  'interface Running<S>',
];
const recorded = { version: '0.3.0', lines: LINES };
const changelog = (...versions: string[]) =>
  ['# Changelog', '', ...versions.map((version) => `### SDK ${version}\n\n- Something.\n`)].join('\n');
const without = (line: string) => LINES.filter((one) => one !== line);

describe('the rule', () => {
  test('an unchanged surface passes with the entry of its version', () => {
    expect(accept(recorded, LINES, changelog('0.3.0'))).toEqual(recorded);
    expect(() => accept(recorded, LINES, changelog())).toThrow(
      'CHANGELOG.md wants a heading "### SDK 0.3.0" (or higher) that says so; it has none',
    );
  });

  test('an addition without an entry fails, and is named', () => {
    expect(() => accept(recorded, [...LINES, 'Running: pause?(): void'], changelog('0.3.0'))).toThrow(
      /no longer that of 0\.3\.0:\n {2}\+ Running: pause\?\(\): void\n.*"### SDK 0\.3\.1" \(or higher\).*ends with 0\.3\.0/s,
    );
  });

  test('an addition passes with a higher version, which is recorded', () => {
    const lines = [...LINES, 'Running: pause?(): void'];
    expect(accept(recorded, lines, changelog('0.3.0', '0.3.1'))).toEqual({ version: '0.3.1', lines });
  });

  test('something removed or changed fails with too small a step, and passes with one that is large enough', () => {
    expect(() => accept(recorded, without('Running: stop?(): void'), changelog('0.3.1'))).toThrow(
      /may break:\n {2}- Running: stop.*"### SDK 0\.4\.0"/s,
    );
    expect(accept(recorded, without('Running: stop?(): void'), changelog('0.4.0')).version).toBe('0.4.0');
    const changed = [...without('Running: stop?(): void'), 'Running: stop?(): Promise<void>'];
    expect(() => accept(recorded, changed, changelog('0.3.1'))).toThrow('"### SDK 0.4.0"');
  });

  test('from 1.0 on a break is a major step and an addition a minor one', () => {
    const stable = { version: '1.3.2', lines: LINES };
    expect(() => accept(stable, without('Running: stop?(): void'), changelog('1.4.0'))).toThrow('"### SDK 2.0.0"');
    expect(() => accept(stable, [...LINES, 'type More = 1'], changelog('1.3.3'))).toThrow('"### SDK 1.4.0"');
    expect(accept(stable, [...LINES, 'type More = 1'], changelog('1.4.0')).version).toBe('1.4.0');
  });
});

test.each([
  ['a further member that makers must fill in', 'Driver: open(): void', true],
  ['a further member that they may fill in', 'Driver: found?(): void', false],
  ['a further member of what they are given', 'ServiceContext: things: Things', false],
  ['a further declaration', 'interface Sensor', false],
  ['a member of a further declaration', 'Sensor: read(): void', false],
])('%s: does it break? %s', (_what, line, breaks) => {
  expect(compare([...LINES, 'ServiceContext: bus: Bus'], [...LINES, 'ServiceContext: bus: Bus', line])?.breaks).toBe(breaks);
});

test.each([
  ['0.1.4', true, '0.2.0'],
  ['0.1.4', false, '0.1.5'],
  ['1.2.3', true, '2.0.0'],
  ['1.2.3', false, '1.3.0'],
])('after %s, breaking: %s, the lowest version is %s', (version, breaks, next) => {
  expect(lowestNext(version, breaks)).toBe(next);
});

test('the highest entry counts, not the first, and numbers are numbers', () => {
  expect(newestEntry(changelog('0.9.0', '0.10.0', '0.2.0'))).toBe('0.10.0');
  expect(newestEntry('## 0.1.0\n- SDK 0.2.0\n#### SDK 0.3.0\n')).toBeUndefined();
});

test('a recorded surface is read as it was written', () => {
  expect(parseSurface(surfaceText(recorded))).toEqual(recorded);
});

test('the lines are declarations and members of both entries, without docstrings', () => {
  const declaration = {
    name: 'Tile',
    kind: 'interface',
    head: 'interface Tile',
    doc: 'A tile.',
    members: [{ text: 'title: string', doc: 'Its title.' }],
  } as const;
  const sdk = {
    declarations: [{ ...declaration, members: [...declaration.members] }],
    handedOn: [{ name: 'z', from: 'zod' }],
    missing: [],
  };
  const testing = { declarations: [{ ...declaration, members: [] }], handedOn: [], missing: [] };
  expect(linesOf({ sdk, testing })).toEqual(['Tile: title: string', 'interface Tile', 'testing/interface Tile', 'z from zod']);
});
