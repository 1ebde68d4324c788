/** Reads what `@ledge/sdk` exports from the declarations that the compiler makes of it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
/** Packages are named, because the compiler declares only what it was given. */
const SOURCES = ['contract', 'kit', 'testing', 'sdk'].map((name) => join(root, 'system', name, 'index.ts'));

/** ExitStatus.DiagnosticsPresent_OutputsGenerated of tsc. */
const DECLARED_ALL_THE_SAME = 2;

export interface Member {
  /** As it is declared, on one line and without its docstring: `confirm?: string`. */
  text: string;
  doc: string;
}
export interface Declaration {
  name: string;
  kind: 'interface' | 'type' | 'class' | 'function' | 'const';
  /** As it is declared, without members, on one line: `interface Action<S>`. */
  head: string;
  doc: string;
  members: Member[];
}
/** What one entry of the package exports. */
export interface Exported {
  declarations: Declaration[];
  /** Names of other packages that it hands on: `z` from `zod`. */
  handedOn: { name: string; from: string }[];
  /** Names of ours that the declarations use, and that are not exported. */
  missing: string[];
}

/** Both entries of the package: what services and drivers import, and what their tests do. */
export async function readSdk(): Promise<{ sdk: Exported; testing: Exported }> {
  const folder = mkdtempSync(join(tmpdir(), 'ledge-sdk-'));
  try {
    const out = join(folder, 'out');
    const compilerOptions = {
      ...{ noEmit: false, declaration: true, emitDeclarationOnly: true, outDir: out, rootDir: root },
      typeRoots: [join(root, 'node_modules', '@types')],
    };
    const files = [...SOURCES, join(root, 'system', 'sdk', 'testing.ts')];
    const config = join(folder, 'tsconfig.json');
    writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }));
    await compile(config);
    const sdk = exportsOf(join(out, 'system', 'sdk', 'index.d.ts'), out);
    const testing = exportsOf(join(out, 'system', 'sdk', 'testing.d.ts'), out);
    const known = new Set([...sdk.declarations, ...testing.declarations].map(({ name }) => name));
    const ours = new Set([...sdk.seen, ...testing.seen].map(({ name }) => name));
    const missing = ({ declarations }: FoundExports) =>
      [...new Set(declarations.flatMap((declaration) => namesIn(declaration)))].filter((name) => ours.has(name) && !known.has(name));
    const closed = (found: FoundExports): Exported => ({ ...found, missing: missing(found) });
    return { sdk: closed(sdk), testing: closed(testing) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Mistakes in the sources are told by the check of types, not here. */
async function compile(config: string): Promise<void> {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await promisify(execFile)(process.execPath, [compiler, '-p', config]).catch((error: { code?: number }) => {
    if (error.code !== DECLARED_ALL_THE_SAME) throw error;
  });
}

interface FoundExports {
  declarations: Declaration[];
  handedOn: { name: string; from: string }[];
  /** Everything that the files declare. */
  seen: Declaration[];
}

const EXPORT_LIST = /^export (?:type )?\{([^}]*)\} from '([^']+)';/gm;
const EXPORT_ALL = /^export \* from '([^']+)';/gm;

/** Follows the exports of a file of declarations through our packages. */
function exportsOf(file: string, out: string): FoundExports {
  const text = readFileSync(file, 'utf8');
  const own = parseDeclarations(text);
  const found: FoundExports = { declarations: own.filter(({ isExported }) => isExported), handedOn: [], seen: own };
  const pathOf = (target: string) =>
    target.startsWith('.')
      ? join(dirname(file), target.replace(/\.ts$/, '.d.ts'))
      : join(out, 'system', target.replace(/^@ledge\//, ''), 'index.d.ts');
  const isOurs = (target: string) => target.startsWith('.') || target.startsWith('@ledge/');
  for (const [, target = ''] of text.matchAll(EXPORT_ALL)) {
    const inner = exportsOf(pathOf(target), out);
    found.declarations.push(...inner.declarations);
    found.handedOn.push(...inner.handedOn);
    found.seen.push(...inner.seen);
  }
  for (const [, list = '', target = ''] of text.matchAll(EXPORT_LIST)) {
    const names = list.match(/\w+(?=,|\s*$)/g) ?? [];
    if (!isOurs(target)) {
      found.handedOn.push(...names.map((name) => ({ name, from: target })));
      continue;
    }
    const inner = exportsOf(pathOf(target), out);
    found.seen.push(...inner.seen);
    for (const name of names) {
      const declaration = inner.declarations.find((one) => one.name === name);
      const handed = inner.handedOn.find((one) => one.name === name);
      if (declaration) found.declarations.push(declaration);
      else if (handed) found.handedOn.push(handed);
      else throw new Error(`${target} does not export ${name}`);
    }
  }
  return found;
}

const HEAD = /^(export )?(?:declare )?(interface|type|class|function|const) (\w+)/;

/** Declarations of a file as the compiler prints them: one begins at the first column, its members at the fourth. */
export function parseDeclarations(text: string): (Declaration & { isExported: boolean })[] {
  const found: (Declaration & { isExported: boolean })[] = [];
  const lines = text.split('\n');
  let doc = '';
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (line.startsWith('/**')) {
      const end = endOfDoc(lines, at);
      doc = docText(lines.slice(at, end + 1));
      at = end;
      continue;
    }
    const [, exported, kind, name] = HEAD.exec(line) ?? [];
    if (kind && name) {
      const body: string[] = [];
      // everything that is not at the first column belongs to it, and so does the bracket that ends it
      while (at + 1 < lines.length && /^(?:\s|[})\]|])/.test(lines[at + 1] ?? '')) body.push(lines[++at] ?? '');
      const hasMembers = (kind === 'interface' || kind === 'class' ? /\{$/ : /^[^(]*[:=] \{$/).test(line);
      const members = hasMembers ? parseMembers(body) : [];
      const whole = hasMembers ? line.replace(/ ?[:=]? ?\{$/, '') : oneLine([line, ...body]);
      const head = whole.replace(/^(?:export )?(?:declare )?/, '').replace(/;$/, '');
      found.push({ name, kind: kind as Declaration['kind'], head, doc, members, isExported: exported !== undefined });
    }
    doc = '';
  }
  return found;
}

function parseMembers(body: readonly string[]): Member[] {
  const members: Member[] = [];
  let doc = '';
  for (let at = 0; at < body.length; at++) {
    const line = body[at] ?? '';
    if (line.startsWith('    /**')) {
      const end = endOfDoc(body, at);
      doc = docText(body.slice(at, end + 1));
      at = end;
      continue;
    }
    if (!/^ {4}[^\s})\]]/.test(line)) continue;
    const whole = [line];
    while (/^ {4}(?:\s|[})\]|])/.test(body[at + 1] ?? '')) whole.push(body[++at] ?? '');
    const member = oneLine(whole).replace(/;$/, '');
    if (!/^(?:#|private )/.test(member)) members.push({ text: member, doc });
    doc = '';
  }
  return members;
}

const endOfDoc = (lines: readonly string[], from: number) => {
  let end = from;
  while (!lines[end]?.includes('*/') && end < lines.length) end++;
  return end;
};

/** A docstring without its stars and links. */
const docText = (lines: readonly string[]) =>
  lines
    .map((line) => line.replace(/^\s*(?:\/\*\*|\*\/|\*)\s?/, '').replace(/\s*\*\/$/, ''))
    .join('\n')
    .replace(/\{@link ([^}]+)\}/g, '`$1`')
    .trim();

/** Comments inside go; they are told where the type that they belong to is. */
const oneLine = (lines: readonly string[]) =>
  lines
    .join('\n')
    .replace(/\/\*\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .trim();

const namesIn = ({ head, members }: Declaration) =>
  [head, ...members.map(({ text }) => text)].flatMap((text) => text.match(/\b[A-Za-z]\w+\b/g) ?? []);
