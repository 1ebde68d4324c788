import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, contentKey } from '../../cache.ts';
import { run } from '../../run.ts';

const PACKAGES = ['qemu-system-arm', 'qemu-system-common', 'qemu-system-data', 'qemu-utils'];

/**
 * A newer QEMU than this Debian has, from its backports: downloaded and unpacked below the cache folder, never
 * installed, with an apt configuration of its own. The host's keys and its mirror (or `EDGE_DEBIAN_MIRROR`) are used.
 * @returns the folder with `usr/bin/qemu-system-aarch64`
 * @throws Error when this is not Debian, there are no backports, or a library is missing here
 */
export async function newerQemu(): Promise<string> {
  const codename = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (!codename) throw new Error('this is no Debian release');
  const { path } = await cached('qemu', contentKey({ values: { codename, arch: process.arch, PACKAGES } }), async (draft) => {
    const site = await mirror(codename);
    const apt = join(draft, 'apt');
    mkdirSync(join(apt, 'lists', 'partial'), { recursive: true });
    mkdirSync(join(apt, 'archives', 'partial'), { recursive: true });
    writeFileSync(join(apt, 'sources.list'), `deb ${site} ${codename}-backports main\n`);
    writeFileSync(join(apt, 'apt.conf'), configuration(apt));
    const options = { environment: { APT_CONFIG: join(apt, 'apt.conf') } };
    await run('apt-get', ['update', '-q', '--error-on=any'], options);
    await run('apt-get', ['download', '-q', ...PACKAGES], { ...options, cwd: join(apt, 'archives') });
    for (const name of readdirSync(join(apt, 'archives')).filter((file) => file.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', join(apt, 'archives', name), draft]);
    }
    rmSync(apt, { recursive: true });
    const missing = (await run('ldd', [join(draft, 'usr', 'bin', 'qemu-system-aarch64')])).match(/\S+(?= => not found)/g);
    if (missing) throw new Error(`the newer QEMU lacks ${missing.join(', ')} here`);
  });
  return path;
}

/** The package manager's own files in a folder of ours; everything else (proxy, keys) stays as the machine has it. */
const configuration = (apt: string) => `Dir::State::Lists "${apt}/lists";
Dir::Cache::archives "${apt}/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::SourceList "${apt}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
APT::Sandbox::User "root";
`;

async function mirror(codename: string): Promise<string> {
  if (process.env.EDGE_DEBIAN_MIRROR) return process.env.EDGE_DEBIAN_MIRROR;
  const targets = await run('apt-get', ['indextargets', '--format', '$(SITE) $(CODENAME)', 'Created-By: Packages']);
  const site = targets.split('\n').find((line) => line.endsWith(` ${codename}`));
  if (!site) throw new Error(`apt has no package lists of ${codename} here; run apt-get update or set EDGE_DEBIAN_MIRROR`);
  return site.slice(0, site.lastIndexOf(' '));
}
