import { OUR_SERVICES } from '@ledge/contract/our-services.ts';
import { BOOT_FILE, PROJECT_FOLDER, RELEASE_FILE } from '@ledge/host/linux/image-facts.ts';
import { type Check, fault, ok, skipped, warning } from '../check.ts';
import { type Files, Unseen } from '../ports.ts';
import { plural, some, span } from '../words.ts';

export const uptime: Check = {
  name: 'uptime',
  title: 'Time since the start',
  async look(facts) {
    const { quickBoots, reset, note } = (await facts.boot().catch(() => undefined)) ?? {};
    const notes = [
      ...(reset ? [`this start was a factory reset (${reset})`] : []),
      ...(quickBoots && quickBoots > 1 ? [`${quickBoots} starts before were cut short`] : []),
      ...(note ? [note.replace(/[;\s]+$/, '')] : []),
    ];
    return ok([span(await facts.uptimeS()), ...notes].join('; '));
  },
};

export const requiredFiles: Check = {
  name: 'files',
  title: 'Required files',
  imageOnly: true,
  async look(facts) {
    const { files, dataRoot } = facts.ports;
    const release = await facts.release();
    const ofProject = release?.project
      ? [`${PROJECT_FOLDER}/project.json`, ...release.project.services.map((name) => `${PROJECT_FOLDER}/${name}.mjs`)]
      : [];
    const wanted = [
      '/usr/bin/node',
      ...OUR_SERVICES.map((name) => `/usr/lib/ledge/${name}.mjs`),
      ...ofProject,
      '/usr/lib/ledge/webui/index.html',
      BOOT_FILE,
      '/etc/fw_env.config',
      `${dataRoot}/edge-id`,
      `${dataRoot}/ledge.yaml`,
    ];
    const missing: string[] = [];
    for (const file of wanted) if (!(await files.has(file))) missing.push(file);
    if (release === undefined) missing.push(`${RELEASE_FILE} (readable)`);
    if (missing.length === 0) return ok(`all ${wanted.length + 1} are there`);
    return fault(
      `${some(missing, 6)} ${missing.length === 1 ? 'is' : 'are'} missing`,
      'each of them',
      'flash the image again, or install it as an update',
    );
  },
};

const ETC_UPPER = '/var/etc/upper';
const ETC_KEEP = '/usr/lib/ledge/etc-keep';

/** Files below a folder, by their path in it; and folders that whoever looks may not open. */
async function filesIn(files: Files, folder: string, below = ''): Promise<{ found: string[]; closed: string[] }> {
  const found: string[] = [];
  const closed: string[] = [];
  for (const name of await files.list(`${folder}${below}`)) {
    const path = `${below}/${name}`;
    try {
      if (await files.isFolder(`${folder}${path}`)) {
        const inside = await filesIn(files, folder, path);
        found.push(...inside.found);
        closed.push(...inside.closed);
      } else {
        found.push(path);
      }
    } catch (error) {
      if (!(error instanceof Unseen)) throw error;
      closed.push(path);
    }
  }
  return { found, closed };
}

/** The list that the initramfs keeps by: a pattern of sh's `case` in each line, below /etc; its `*` reaches over slashes. */
export function keeps(patterns: string): (path: string) => boolean {
  const tests = patterns
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((pattern) => {
      const source = pattern
        .replace(/[.+^${}()|\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.');
      return new RegExp(`^${source}$`);
    });
  return (path) => tests.some((test) => test.test(path.replace(/^\//, '')));
}

/** What was changed in /etc by hand is thrown away at the next start, unless the image says that it may stay. */
export const declaredState: Check = {
  name: 'declared-state',
  title: 'Changes by hand',
  imageOnly: true,
  async look(facts) {
    const patterns = await facts.ports.files.read(ETC_KEEP);
    if (patterns === undefined) return skipped(`${ETC_KEEP} is not to be seen here`);
    if (!(await facts.ports.files.has(ETC_UPPER))) return skipped(`${ETC_UPPER} is not to be seen here`);
    const kept = keeps(patterns);
    const { found, closed } = await filesIn(facts.ports.files, ETC_UPPER);
    const changed = found.filter((path) => !kept(path)).map((path) => `/etc${path}`);
    const unseen = closed.length === 0 ? '' : `, as far as ${facts.ports.user} may see`;
    if (changed.length === 0) return ok(`nothing outside the data was changed${unseen}`);
    return warning(
      `${some(changed)} ${changed.length === 1 ? 'was' : 'were'} changed`,
      'only settings that are kept',
      `${plural(changed.length, 'change')} will be gone after the next start; settings belong into ledge.yaml`,
    );
  },
};
