import { type Check, ok, skipped, warning } from '../check.ts';
import { some } from '../words.ts';

/** Where the image keeps the last lines of what broke, and a line for each start. */
const FOLDER = 'crash';
const RECENT_MS = 24 * 60 * 60_000;

export const lastStart: Check = {
  name: 'last-end',
  title: 'End of the start before',
  imageOnly: true,
  async look({ ports: { files, dataRoot } }) {
    const log = await files.read(`${dataRoot}/${FOLDER}/boots.log`);
    const how = /the start before (.+?)(?:\. |$)/.exec(log?.trim().split('\n').at(-1) ?? '')?.[1];
    if (how === undefined) return skipped('nobody has noted it');
    // a power cut is an ordinary end for a box without a switch
    if (!how.includes('watchdog')) return ok(`it ${how}`);
    return warning(`it ${how}`, 'an end that was asked for', `the system hung; the files in ${dataRoot}/${FOLDER} may tell why`);
  },
};

export const crashes: Check = {
  name: 'crashes',
  title: 'Crashes of a day',
  imageOnly: true,
  async look({ ports: { files, dataRoot, now } }) {
    const folder = `${dataRoot}/${FOLDER}`;
    if (!(await files.has(folder))) return skipped(`${folder} does not exist yet`);
    const recent: string[] = [];
    for (const name of (await files.list(folder)).filter((file) => /^\d+\.log$/.test(file))) {
      const at = await files.changed(`${folder}/${name}`);
      if (at === undefined || now() - at > RECENT_MS) continue;
      // the first line: `# <time> slot A (normal): media ended (exited 1)`
      recent.push(/^# \S+ [^:]*: (.*)$/m.exec((await files.read(`${folder}/${name}`)) ?? '')?.[1] ?? name);
    }
    if (recent.length === 0) return ok('none');
    return warning(some(recent, 3), 'none', `${folder} keeps the log lines before each`);
  },
};
