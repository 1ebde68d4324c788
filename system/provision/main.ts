import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { machineBus } from '@ledge/host/linux/systemd/system-bus.ts';
import { systemClock } from '@ledge/kit/clock.ts';
import { Card } from './card.ts';
import { DiskFiles } from './data-files.ts';
import { runImport } from './import.ts';
import { SystemdHostSettings } from './linux/host-settings.ts';
import { NetworkManager } from './linux/network-manager.ts';
import { reportLog, screenText } from './report.ts';

const USAGE = `Usage: provision [--card DIR] [--data DIR] [--zoneinfo DIR] [--issue DIR]

Takes over the settings that were written to the card when it was flashed, and overwrites their passwords there.

  --card       where the FAT partition is mounted (/boot/firmware)
  --data       data directory (EDGE_DATA, or /var/lib/ledge)
  --zoneinfo   time zones of this machine (/usr/share/zoneinfo)
  --issue      where the screen's greeting is put together (/run/issue.d)`;

const { values } = parseArgs({
  options: {
    card: { type: 'string', default: '/boot/firmware' },
    data: { type: 'string', default: process.env.EDGE_DATA ?? '/var/lib/ledge' },
    zoneinfo: { type: 'string', default: '/usr/share/zoneinfo' },
    issue: { type: 'string', default: '/run/issue.d' },
    help: { type: 'boolean' },
  },
});

/** journald takes the priority from the beginning of a line; people at a terminal do not need it. */
const say = (priority: number, text: string) => console.log(process.env.JOURNAL_STREAM ? `<${priority}>${text}` : text);

async function main(): Promise<void> {
  const bus = machineBus();
  const files = new DiskFiles(values.data);
  const idFile = join(values.data, 'edge-id');
  const box = existsSync(idFile) ? readFileSync(idFile, 'utf8').trim() : 'ledge';
  try {
    const report = await runImport({
      card: new Card(values.card),
      ports: {
        networks: new NetworkManager(bus, systemClock),
        host: new SystemdHostSettings(bus),
        files,
        sync: async () => void (await promisify(execFile)('sync')),
      },
      box,
      hostname: hostname() === 'localhost' ? box : (hostname().split('.')[0] ?? box),
      zoneinfo: values.zoneinfo,
      now: () => new Date(),
      warn: (message) => say(4, message),
    });
    for (const { priority, text } of reportLog(report)) say(priority, text);
    // on the screen now, and at each start until it is corrected
    const toCorrect = screenText(report);
    files.put('setup/import.issue', toCorrect);
    if (existsSync(values.issue)) new DiskFiles(values.issue).put('50-ledge-import.issue', toCorrect);
    if (report.problems.length > 0 || report.outcomes.some(({ result }) => result === 'failed')) process.exitCode = 1;
  } finally {
    bus.close();
  }
}

if (values.help) console.log(USAGE);
else {
  await main().catch((error: Error) => {
    say(3, `the import failed: ${error.stack ?? error.message}`);
    process.exitCode = 1;
  });
}
