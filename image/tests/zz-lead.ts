import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { newBox } from './vm/box.ts';

const box = await newBox('lead');
try {
  await box.powerOn();
  await box.shell();
  writeFileSync('/tmp/vmq/ready', JSON.stringify(box.ports));
  for (;;) {
    if (existsSync('/tmp/vmq/stop')) break;
    if (existsSync('/tmp/vmq/cmd')) {
      const script = readFileSync('/tmp/vmq/cmd', 'utf8');
      renameSync('/tmp/vmq/cmd', '/tmp/vmq/cmd.taken');
      const r = await box.exec(script, { seconds: 300 }).catch((e: Error) => ({ code: -1, out: '', err: e.message }));
      writeFileSync('/tmp/vmq/out', `${r.out}\n${r.err}\n=> ${r.code}\n`);
    }
    await setTimeout(200);
  }
} finally {
  await box.remove();
}
