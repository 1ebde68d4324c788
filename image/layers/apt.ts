import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, cacheRoot } from '../cache.ts';
import { run } from '../run.ts';
import { type Architecture, CARD_ARCHITECTURE, COMPONENTS, SUITE } from './recipe.ts';

export interface Mirrors {
  debian: string;
  security: string;
}

/**
 * Where Debian's packages are fetched: `EDGE_DEBIAN_MIRROR`, else the mirror that this machine's own apt uses.
 * @throws Error on a machine that has neither
 */
export async function findMirrors(environment: NodeJS.ProcessEnv = process.env): Promise<Mirrors> {
  const given = environment.EDGE_DEBIAN_MIRROR?.replace(/\/+$/, '');
  if (given) return { debian: given, security: given.replace(/\/debian$/, '/debian-security') };
  const sites = (await run('apt-get', ['indextargets', '--format', '$(SITE) $(ORIGIN)'])).split('\n').map((line) => line.split(' '));
  const debianSites = [...new Set(sites.filter(([, origin]) => origin === 'Debian').map(([site]) => site ?? ''))];
  const security = debianSites.find((site) => site.includes('security'));
  const debian = debianSites.find((site) => !site.includes('security'));
  if (!debian) {
    throw new Error('No Debian mirror is known: apt here uses none (run apt-get update once), and EDGE_DEBIAN_MIRROR is not set.');
  }
  return { debian, security: security ?? debian.replace(/\/debian$/, '/debian-security') };
}

/** apt of this machine, with a configuration of its own: one architecture, trixie, nothing of the machine's own state. */
export interface Apt {
  readonly architecture: Architecture;
  /** Options for apt-get and apt-cache; `root` is a system to install into, whose dpkg does the work. */
  environment(root?: string): Record<string, string>;
  /** Where downloaded packages are kept. */
  readonly archives: string;
  readonly mirrors: Mirrors;
}

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

const suiteLine = (site: string, suite: string, options = '') =>
  `deb [signed-by=${KEYRING}${options}] ${site} ${suite} ${COMPONENTS.join(' ')}\n`;
/** A mirror may keep an unreleased suite as it was at some day; the lock file says which version is meant. */
const STANDING = ' check-valid-until=no';

/** One line per place that packages come from; `backports` only on demand, as apt never prefers it. */
export function sourcesList({ debian, security }: Mirrors): string {
  return [
    suiteLine(debian, SUITE),
    suiteLine(debian, `${SUITE}-updates`),
    suiteLine(debian, `${SUITE}-backports`),
    suiteLine(security, `${SUITE}-security`),
  ].join('');
}

/**
 * Makes the configuration, and fetches the package lists.
 * @param suite another release than the card's; it gets lists of its own, as apt would prefer the newer one's packages everywhere
 * @param architecture another processor than the card's
 */
export async function openApt(suite: string = SUITE, architecture: Architecture = CARD_ARCHITECTURE): Promise<Apt> {
  const mirrors = await findMirrors();
  const home = join(
    cacheRoot(),
    ['apt', ...(suite === SUITE ? [] : [suite]), ...(architecture === CARD_ARCHITECTURE ? [] : [architecture])].join('-'),
  );
  const archives = join(home, 'archives');
  for (const folder of ['lists/partial', 'archives/partial', 'empty']) mkdirSync(join(home, folder), { recursive: true });
  writeFileSync(join(home, 'status'), '');
  writeFileSync(join(home, 'sources.list'), suite === SUITE ? sourcesList(mirrors) : suiteLine(mirrors.debian, suite, STANDING));
  const configFile = (name: string, lines: readonly string[]) => {
    const file = join(home, name);
    writeFileSync(file, `${lines.map((line) => `${line};`).join('\n')}\n`);
    return file;
  };
  const common = [
    `APT::Architecture "${architecture}"`,
    `APT::Architectures { "${architecture}"; }`,
    'APT::Install-Recommends "false"',
    'APT::Sandbox::User "root"',
    'Acquire::Languages "none"',
    'Acquire::Retries "3"',
    `Dir::State "${home}"`,
    `Dir::State::Lists "${join(home, 'lists')}"`,
    `Dir::Etc::SourceList "${join(home, 'sources.list')}"`,
    `Dir::Etc::SourceParts "${join(home, 'empty')}"`,
    `Dir::Etc::Parts "${join(home, 'empty')}"`,
    `Dir::Etc::Preferences "${join(home, 'none')}"`,
    `Dir::Etc::PreferencesParts "${join(home, 'empty')}"`,
    `Dir::Cache::pkgcache ""`,
    `Dir::Cache::srcpkgcache ""`,
    `Dir::Log "/dev"`,
    `Dir::Log::Terminal "null"`,
    `Dir::Log::History "null"`,
  ];
  const environment = (root?: string) => {
    if (root === undefined) {
      const plain = configFile('apt.conf', [
        ...common,
        `Dir::State::Status "${join(home, 'status')}"`,
        `Dir::Cache::Archives "${archives}"`,
      ]);
      return { APT_CONFIG: plain };
    }
    const into = configFile(`apt-into-${process.pid}.conf`, [
      ...common,
      `Dir::State::Status "${root}/var/lib/dpkg/status"`,
      `Dir::State::extended_states "${root}/var/lib/dpkg/extended_states"`,
      `Dir::Cache::Archives "${root}/var/cache/apt/archives"`,
      `DPkg::Chroot-Directory "${root}"`,
      'DPkg::Use-Pty "false"',
    ]);
    return { APT_CONFIG: into, DEBIAN_FRONTEND: 'noninteractive', DEBCONF_NONINTERACTIVE_SEEN: 'true' };
  };
  await run('apt-get', ['update', '-qq'], { environment: environment() });
  return { architecture, environment, archives, mirrors };
}

export interface DebianPackage {
  name: string;
  version: string;
}

/** Downloads packages and unpacks them side by side, without their dependencies and without running anything. Cached by version. */
export async function unpackPackages(
  apt: Apt,
  names: readonly string[],
  suite: string,
): Promise<{ path: string; packages: DebianPackage[] }> {
  const environment = apt.environment();
  const packages: DebianPackage[] = [];
  for (const name of names) packages.push(await candidate(apt, name, suite)); // several apt-cache at once find nothing now and then
  const { path } = await cached(
    'unpacked',
    [...(apt.architecture === CARD_ARCHITECTURE ? [] : [apt.architecture]), ...packages.map(({ name, version }) => `${name}_${version}`)]
      .join('+')
      .replace(/[^\w.+~-]/g, '_')
      .slice(0, 200),
    async (draft) => {
      const downloads = `${draft}.debs`;
      mkdirSync(downloads, { recursive: true });
      mkdirSync(draft, { recursive: true });
      try {
        await run('apt-get', ['download', '-qq', ...packages.map(({ name, version }) => `${name}=${version}`)], {
          cwd: downloads,
          environment,
        });
        for (const file of (await run('ls', [downloads])).trim().split('\n')) await run('dpkg-deb', ['-x', join(downloads, file), draft]);
      } finally {
        rmSync(downloads, { recursive: true, force: true });
      }
    },
  );
  return { path, packages };
}

/** The newest version of a package in a suite. @throws Error when the mirror has none */
export async function candidate(apt: Apt, name: string, suite: string): Promise<DebianPackage> {
  const text = await run('apt-cache', ['madison', name], { environment: apt.environment() });
  const versions = text.split('\n').map((line) => line.split('|').map((part) => part.trim()));
  const wanted = versions.filter(
    ([, , where]) => where?.includes(` ${suite}/`) || where?.includes(` ${suite}-security/`) || where?.includes(` ${suite}-updates/`),
  );
  const version = wanted[0]?.[1];
  if (!version) throw new Error(`The mirror has no package ${name} in ${suite}.`);
  return { name, version };
}

/** The names of the packages that a kernel's metapackage stands for, by their beginnings. */
export async function kernelParts(apt: Apt, meta: string, suite: string, parts: readonly string[]): Promise<string[]> {
  const { version } = await candidate(apt, meta, suite);
  const depends = await run('apt-cache', ['depends', `${meta}=${version}`], { environment: apt.environment() });
  const image = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (!image) throw new Error(`${meta} ${version} names no kernel image.`);
  return parts.map((part) => image.replace('linux-image', part));
}
