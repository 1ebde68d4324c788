import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, until } from '@ledge/testing';
import { expect, test } from 'vitest';
import { createNotifier } from './notify.ts';

test.skipIf(!findProgram('socat') || !findProgram('systemd-notify'))(
  "systemd's own socket hears READY, the watchdog and STOPPING",
  async () => {
    const socket = join(mkdtempSync(join(tmpdir(), 'ledge-notify-')), 'notify');
    const receiver = spawn('socat', ['-u', `UNIX-RECV:${socket}`, '-'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let heard = '';
    receiver.stdout.on('data', (part) => {
      heard += String(part);
    });
    process.env.NOTIFY_SOCKET = socket;
    try {
      await until('the receiver', () => existsSync(socket));
      const notifier = createNotifier({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '10000000' }, undefined, () => undefined);
      expect(notifier.watchdogMs).toBeCloseTo(10_000 / 3);
      notifier.ready();
      notifier.status('all\nwell');
      notifier.watchdog();
      notifier.stopping();
      await until('all four', () => ['READY=1', 'STATUS=all well', 'WATCHDOG=1', 'STOPPING=1'].every((text) => heard.includes(text)));
    } finally {
      delete process.env.NOTIFY_SOCKET;
      receiver.kill();
    }
  },
);
