import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IMAGE_FOLDER } from './built.ts';
import type { Machine } from './machine.ts';

/** Moments of a start in seconds since power-on, as the console and the box tell them. */
export interface StartTimes {
  uBoot: number;
  script: number;
  kernel: number;
  systemd: number;
  ready: number;
}

/** @param readyMs when the last service was ready, since power-on */
export async function startTimes(box: Machine, readyMs: number): Promise<StartTimes> {
  const said = (pattern: RegExp) => (box.console.matching(pattern)[0]?.atMs ?? Number.NaN) / 1000;
  const kernel = said(/^Starting kernel/);
  // microseconds on the kernel's clock, which begins when it does
  const userspace = Number(await box.sh('systemctl show --property=UserspaceTimestampMonotonic --value')) / 1e6;
  return { uBoot: said(/^U-Boot \d/), script: said(/^Ledge: starting from/), kernel, systemd: kernel + userspace, ready: readyMs / 1000 };
}

/** How the box started and what it takes, as files beside the image: `boot-chart.svg`, `boot-times.txt`, `memory.txt`. */
export async function writeBootReports(box: Machine, summary: string): Promise<string[]> {
  mkdirSync(IMAGE_FOLDER, { recursive: true });
  const files = {
    'boot-chart.svg': await box.sh('systemd-analyze plot', { seconds: 120 }),
    'boot-times.txt': [
      summary,
      await box.sh(
        'systemd-analyze; echo; systemd-analyze critical-chain ledge.target --no-pager; echo; systemd-analyze blame --no-pager | head -n 40',
        { seconds: 120 },
      ),
    ].join('\n\n'),
    'memory.txt': await memoryReport(box),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(IMAGE_FOLDER, name), `${text}\n`);
  return Object.keys(files);
}

/** What all takes, and each service's share: PSS counts shared pages once (proc(5), smaps_rollup). */
async function memoryReport(box: Machine): Promise<string> {
  return await box.sh(`free -m
    echo
    echo 'PSS by service, KiB'
    for unit in $(systemctl list-units --type=service --state=running --plain --no-legend | cut -d' ' -f1); do
      sum=0
      for pid in $(cat /sys/fs/cgroup$(systemctl show --property=ControlGroup --value "$unit")/cgroup.procs 2>/dev/null); do
        pss=$(sed -n 's/^Pss: *\\([0-9]*\\) kB/\\1/p' /proc/$pid/smaps_rollup 2>/dev/null)
        sum=$((sum + \${pss:-0}))
      done
      printf '%8d  %s\\n' $sum "$unit"
    done | sort -rn`);
}
