import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Card } from './card.ts';
import { FILES } from './formats/index.ts';
import { TestBox } from './test-support.ts';

const root = join(import.meta.dirname, '..', '..');
const script = join(root, 'overlays/rpi/usr/lib/ledge/import');
const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
/** Worst is 10; systemd's own services are between 2 and 9. */
const EXPOSURE_LIMIT = 2;

describe.skipIf(process.platform !== 'linux')('the script around the import', () => {
  const run = (box: TestBox, word: string) =>
    spawnSync('sh', [script, word], {
      env: {
        PATH: `${box.root}/tools:${process.env.PATH}`,
        CARD: box.root,
        STATE: join(box.root, 'state'),
        ISSUE: join(box.root, 'kept.issue'),
        ISSUES: box.root,
      },
      encoding: 'utf8',
    });

  test('looks at the files that are read, in the same order', () => {
    expect(/^FILES='(.*)'$/m.exec(readFileSync(script, 'utf8'))?.[1]?.split(' ')).toEqual(FILES);
  });

  test('sees that nothing, or something, changed since the import', () => {
    using box = new TestBox();
    expect(run(box, 'changed').status).toBe(1); // a new card on which nobody wrote anything
    box.put('user-data', '#cloud-config\n');
    expect(run(box, 'changed').status).toBe(0);
    box.put('state', new Card(box.root).checksums(FILES));
    expect(run(box, 'changed').status).toBe(1);
    box.put('ledge.yaml', 'name: Barn\n');
    box.put('ssh', '');
    expect(run(box, 'changed').status).toBe(0);
    box.put('state', new Card(box.root).checksums(FILES));
    expect(run(box, 'changed').status).toBe(1);
    box.put('ledge.yaml', 'name: Shed\n');
    expect(run(box, 'changed')).toMatchObject({ status: 0, stderr: '' });
  });

  test('shows at each start what is still to be corrected', () => {
    using box = new TestBox();
    box.put('ledge.yaml', 'nam: Barn\n');
    box.put('state', new Card(box.root).checksums(FILES));
    box.put('kept.issue', 'ledge.yaml:1 nam is not known here\n');
    expect(run(box, 'changed').status).toBe(1);
    expect(box.get('50-ledge-import.issue')).toBe('ledge.yaml:1 nam is not known here\n');
  });

  test('a folder by the name of a file is no file', () => {
    using box = new TestBox();
    mkdirSync(join(box.root, 'user-data'));
    box.put('state', new Card(box.root).checksums(FILES));
    expect(run(box, 'changed').status).toBe(1);
  });

  test('makes the card writable and read-only, and leaves it alone when it is', () => {
    using box = new TestBox();
    mkdirSync(join(box.root, 'tools'));
    const pretend = (name: string, body: string) => {
      writeFileSync(join(box.root, 'tools', name), `#!/bin/sh\n${body}\n`);
      chmodSync(join(box.root, 'tools', name), 0o755);
    };
    pretend('mount', 'echo "mount $*"');
    pretend('nsenter', '[ "$1 $2" = "--mount=/proc/1/ns/mnt --" ] && shift 2 && exec "$@"');
    pretend('findmnt', 'echo rw,nodev,errors=remount-ro');
    expect(run(box, 'open').stdout).toBe(`mount -o remount,rw ${box.root}\n`);
    expect(run(box, 'close').stdout).toBe(`mount -o remount,ro ${box.root}\n`);
    pretend('findmnt', 'echo ro,nodev,errors=remount-ro');
    expect(run(box, 'close')).toMatchObject({ status: 0, stdout: '' });
    pretend('findmnt', 'exit 1');
    expect(run(box, 'close')).toMatchObject({ status: 0, stdout: '' });
    expect(run(box, 'nonsense').status).toBe(2);
  });
});

test.skipIf(!has('systemd-analyze'))('the import is shut in: its exposure is at most 2 (needs: systemd)', () => {
  const { stdout, stderr } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', 'ledge-import.service'], {
    env: { ...process.env, SYSTEMD_UNIT_PATH: join(root, 'system', 'units') },
    encoding: 'utf8',
  });
  const exposure = Number(/exposure level for .*: ([\d.]+)/.exec(stdout)?.[1]);
  expect(exposure, stderr).toBeGreaterThan(0);
  expect(exposure).toBeLessThanOrEqual(EXPOSURE_LIMIT);
});
