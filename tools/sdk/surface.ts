/**
 * The surface of `@ledge/sdk` as lines that can be compared, and the rule for its version: whoever changes the surface says so in the CHANGELOG, with a
 * version that is high enough.
 */
import type { Exported } from './declarations.ts';

export interface Surface {
  version: string;
  lines: readonly string[];
}

/**
 * What makers fill in: a further thing that they must fill in breaks what they have. In all other types it is a further thing that they may
 * use.
 */
const FILLED_IN = [
  'Action',
  'ContractSetup',
  'Driver',
  'OpenThing',
  'Operation',
  'Precious',
  'PreciousItem',
  'Running',
  'Sensor',
  'ServiceDefinition',
  'Tile',
];

/** One line per declaration and one per member, sorted; without docstrings. */
export function linesOf({ sdk, testing }: { sdk: Exported; testing: Exported }): string[] {
  const of = ({ declarations, handedOn }: Exported, prefix: string) => [
    ...handedOn.map(({ name, from }) => `${prefix}${name} from ${from}`),
    ...declarations.flatMap(({ name, head, members }) => [`${prefix}${head}`, ...members.map(({ text }) => `${prefix}${name}: ${text}`)]),
  ];
  return [...new Set([...of(sdk, ''), ...of(testing, 'testing/')])].sort();
}

export const surfaceText = ({ version, lines }: Surface): string => `@ledge/sdk ${version}\n${lines.join('\n')}\n`;

export function parseSurface(text: string): Surface {
  const [head = '', ...lines] = text.trimEnd().split('\n');
  return { version: head.replace('@ledge/sdk ', ''), lines };
}

export interface Change {
  /** A maker's code may stop working. */
  breaks: boolean;
  removed: string[];
  added: string[];
}

/** Undefined when nothing changed. A changed line is one that was removed and one that was added. */
export function compare(before: readonly string[], now: readonly string[]): Change | undefined {
  const removed = before.filter((line) => !now.includes(line));
  const added = now.filter((line) => !before.includes(line));
  if (removed.length + added.length === 0) return undefined;
  const known = new Set(before.map((line) => /^[\w/]+(?=: )/.exec(line)?.[0]));
  const isDemand = (line: string) => {
    const [, name = '', member = ''] = /^((?:testing\/)?\w+): (?:readonly )?(.*)$/.exec(line) ?? [];
    return known.has(name) && FILLED_IN.includes(name.replace('testing/', '')) && !/^[\w$'-]+\?/.test(member);
  };
  return { breaks: removed.length > 0 || added.some(isDemand), removed, added };
}

type Version = readonly [major: number, minor: number, patch: number];
const VERSION = /^(\d+)\.(\d+)\.(\d+)$/;

function parseVersion(text: string): Version {
  const [, major, minor, patch] = VERSION.exec(text) ?? [];
  if (major === undefined) throw new Error(`${text} is no version; one such as 0.2.0 is wanted`);
  return [Number(major), Number(minor), Number(patch)];
}

/** Semantic versioning 2.0, with its clause 4 as npm reads it: before 1.0 the minor number is what tells that something breaks. */
export function lowestNext(version: string, breaks: boolean): string {
  const [major, minor, patch] = parseVersion(version);
  if (major === 0) return breaks ? `0.${minor + 1}.0` : `0.${minor}.${patch + 1}`;
  return breaks ? `${major + 1}.0.0` : `${major}.${minor + 1}.0`;
}

function isBelow(a: string, b: string): boolean {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  const at = left.findIndex((number, i) => number !== right[i]);
  return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0);
}

/** The highest version that has a heading `### SDK x.y.z` in the CHANGELOG. */
export function newestEntry(changelog: string): string | undefined {
  const versions = [...changelog.matchAll(/^### SDK (\d+\.\d+\.\d+)$/gm)].map((match) => match[1] ?? '');
  return versions.sort((a, b) => (isBelow(a, b) ? 1 : -1))[0];
}

/**
 * The surface to be recorded.
 * @throws Error that says what changed and which entry is wanted, when the CHANGELOG does not have it
 */
export function accept(recorded: Surface, lines: readonly string[], changelog: string): Surface {
  const newest = newestEntry(changelog);
  const change = compare(recorded.lines, lines);
  const wanted = change ? lowestNext(recorded.version, change.breaks) : recorded.version;
  if (newest !== undefined && !isBelow(newest, wanted)) return { version: newest, lines };
  const what = change
    ? [
        `The surface of @ledge/sdk is no longer that of ${recorded.version}${change.breaks ? ', and what makers have may break' : ''}:`,
        ...change.removed.map((line) => `  - ${line}`),
        ...change.added.map((line) => `  + ${line}`),
      ]
    : [`The surface of @ledge/sdk ${recorded.version} is recorded.`];
  const has = newest === undefined ? 'has none' : `ends with ${newest}`;
  throw new Error([...what, `CHANGELOG.md wants a heading "### SDK ${wanted}" (or higher) that says so; it ${has}.`].join('\n'));
}
