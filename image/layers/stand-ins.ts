import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../run.ts';
import { type Apt, unpackPackages } from './apt.ts';
import { type Architecture, SUITE, TRIPLETS } from './recipe.ts';

/**
 * What a program links but never calls here. A package with this name says to provide the real ones, so that they, and all that they want,
 * stay away. `libraries` are linked directly and so must be there: each becomes a library of the same name whose functions return 0.
 */
export interface StandIns {
  name: string;
  /** Packages that are only wanted by name. */
  packages: readonly string[];
  /** Package → its shared library's soname. */
  libraries: Readonly<Record<string, string>>;
}

/** Behind the system's own folders: where the real library is there too, it wins. */
const FOLDER = 'usr/lib/ledge-stand-ins';

/** Makes the package where apt finds it, and returns its file name. Reproducible. */
export async function buildStandIns(standIns: StandIns, apt: Apt, work: string, epochS: number): Promise<string> {
  const folder = join(work, standIns.name);
  mkdirSync(join(folder, 'DEBIAN'), { recursive: true });
  mkdirSync(join(folder, FOLDER), { recursive: true });
  mkdirSync(join(folder, 'etc/ld.so.conf.d'), { recursive: true });
  writeFileSync(join(folder, 'etc/ld.so.conf.d/zz-ledge-stand-ins.conf'), `/${FOLDER}\n`);
  for (const [name, soname] of Object.entries(standIns.libraries)) {
    const { path } = await unpackPackages(apt, [name], SUITE);
    const [real] = globSync(`usr/lib/${TRIPLETS[apt.architecture]}/${soname}`, { cwd: path });
    if (!real) throw new Error(`${name} holds no ${soname}.`);
    await buildLibrary(apt.architecture, { real: join(path, real), soname, out: join(folder, FOLDER, soname), work });
  }
  const provided = [...standIns.packages, ...Object.keys(standIns.libraries)];
  writeFileSync(
    join(folder, 'DEBIAN/control'),
    [
      `Package: ${standIns.name}`,
      'Version: 1',
      `Architecture: ${apt.architecture}`,
      'Maintainer: Ledge',
      `Provides: ${provided.map((name) => `${name} (= 9999:1)`).join(', ')}`,
      'Description: stands in for what a player without a picture never calls',
      '',
    ].join('\n'),
  );
  writeFileSync(join(folder, 'DEBIAN/triggers'), 'activate-noawait ldconfig\n');
  const file = `${standIns.name}.deb`;
  await run('dpkg-deb', ['--root-owner-group', '-b', folder, join(apt.archives, file)], {
    environment: { SOURCE_DATE_EPOCH: String(epochS) },
  });
  return file;
}

interface Exported {
  name: string;
  version: string | undefined;
  isFunction: boolean;
}

/** What a library exports, from the text of `nm --dynamic --defined-only --with-symbol-versions`. */
export function parseExports(text: string): Exported[] {
  return text.split('\n').flatMap((line) => {
    const [, kind, symbol = ''] = /^[0-9a-f]+ ([A-Za-z]) (\S+)$/.exec(line) ?? [];
    if (!kind || kind === 'A') return [];
    const [name = '', version] = symbol.split(/@+/);
    return [{ name, version: version === 'Base' ? undefined : version, isFunction: 'TtWwi'.includes(kind) }];
  });
}

async function buildLibrary(
  architecture: Architecture,
  { real, soname, out, work }: { real: string; soname: string; out: string; work: string },
): Promise<void> {
  const triplet = TRIPLETS[architecture];
  const exported = parseExports(await run(`${triplet}-nm`, ['--dynamic', '--defined-only', '--with-symbol-versions', real]));
  const source = join(work, `${soname}.s`);
  const script = join(work, `${soname}.map`);
  writeFileSync(source, assembly(exported, RETURN_0[architecture]));
  writeFileSync(script, versionScript(exported));
  await run(`${triplet}-gcc`, [
    ...['-shared', '-nostdlib', '-s', `-Wl,-soname,${soname}`, `-Wl,--version-script,${script}`, '-Wl,--build-id=none'],
    ...['-o', out, source],
  ]);
}

const RETURN_0: Record<Architecture, string> = { amd64: 'xor %eax, %eax', arm64: 'mov x0, #0' };

/** Every function is the same two instructions: return 0, which stands for "no" in all of these libraries. Data is zeros. */
function assembly(exported: readonly Exported[], return0: string): string {
  const lines = ['.text', `nothing: ${return0}`, 'ret', '.bss', '.balign 16', 'zeros: .skip 4096'];
  for (const { name, isFunction } of exported) {
    lines.push(`.globl ${name}`, `.type ${name}, %${isFunction ? 'function' : 'object'}`);
    if (!isFunction) lines.push(`.size ${name}, 4096`);
    lines.push(`.set ${name}, ${isFunction ? 'nothing' : 'zeros'}`);
  }
  return `${lines.join('\n')}\n.section .note.GNU-stack,"",%progbits\n`;
}

function versionScript(exported: readonly Exported[]): string {
  const byVersion = Map.groupBy(exported, ({ version }) => version);
  const named = [...byVersion].filter(([version]) => version !== undefined);
  if (named.length === 0) return '{ global: *; };\n';
  return named.map(([version, symbols]) => `${version} { global: ${symbols.map(({ name }) => name).join('; ')}; };\n`).join('');
}
