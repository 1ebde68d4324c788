import { type Check, fault, ok, skipped, warning } from '../check.ts';
import { Unseen } from '../ports.ts';
import { plural, size, some } from '../words.ts';
import { journalIfSeen } from './journal.ts';

const KB = 1024;

export const memory: Check = {
  name: 'memory',
  title: 'Memory',
  async look({ ports: { files } }) {
    const text = (await files.read('/proc/meminfo')) ?? '';
    const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) * KB;
    const total = bytes('MemTotal');
    const available = bytes('MemAvailable');
    if (Number.isNaN(total) || Number.isNaN(available)) throw new Unseen('/proc/meminfo is not to be seen here');
    const seen = `${size(available)} of ${size(total)} available`;
    const hint = 'ledge status tells which service uses most';
    if (available < total * 0.03) return fault(seen, 'more than 3 %', hint);
    return available < total * 0.1 ? warning(seen, 'more than 10 %', hint) : ok(seen);
  },
};

export const compressedSwap: Check = {
  name: 'zram',
  title: 'Compressed memory',
  imageOnly: true,
  async look({ ports: { files } }) {
    const text = await files.read('/proc/swaps');
    if (text === undefined) throw new Unseen('/proc/swaps is not to be seen here');
    const zram = text
      .split('\n')
      .map((line) => line.split(/\s+/))
      .find(([name]) => name?.startsWith('/dev/zram'));
    if (!zram) return warning('there is none', 'swap in compressed memory (zram)', 'journalctl -b -u systemd-zram-setup@zram0 tells why');
    const [total, used] = [Number(zram[2]) * KB, Number(zram[3]) * KB];
    const seen = `${size(used)} of ${size(total)} used`;
    return used > total * 0.9 ? warning(seen, 'less than 90 %', 'the box has too little memory for what it does') : ok(seen);
  },
};

export const killedForMemory: Check = {
  name: 'out-of-memory',
  title: 'Killed for memory',
  imageOnly: true,
  async look(facts) {
    const counted = /^oom_kill (\d+)$/m.exec((await facts.ports.files.read('/proc/vmstat')) ?? '')?.[1];
    if (counted === '0') return ok('no process since the start');
    const entries = await journalIfSeen(facts, 'out of memory: killed process', ['_TRANSPORT=kernel']);
    if (counted === undefined && entries === undefined) return skipped('neither /proc/vmstat nor the journal is to be seen here');
    if (counted === undefined && entries?.length === 0) return ok('no process since the start');
    const names = new Set((entries ?? []).flatMap(({ message }) => /Killed process \d+ \(([^)]+)\)/.exec(message)?.[1] ?? []));
    return warning(
      `${plural(Number(counted ?? entries?.length), 'process', 'processes')}${names.size > 0 ? `: ${some([...names])}` : ''}`,
      'none',
      'a service needs more memory than it may have, or the box has too little',
    );
  },
};
