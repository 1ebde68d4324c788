import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseServiceManager, isUnitOfSystemd } from './choose-service-manager.ts';

function machine(cgroup: string, { booted = true } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'ledge-root-'));
  mkdirSync(join(root, 'proc/self'), { recursive: true });
  writeFileSync(join(root, 'proc/self/cgroup'), `${cgroup}\n`);
  if (booted) mkdirSync(join(root, 'run/systemd/system'), { recursive: true });
  return root;
}
const ask = (root: string, environment = { INVOCATION_ID: 'f00' } as Record<string, string>) =>
  isUnitOfSystemd(environment, 'ledge-server.service', root);

test('the server as a unit of its own is under systemd', () => {
  expect(ask(machine('0::/system.slice/ledge-server.service'))).toBe(true);
  expect(ask(machine('12:pids:/system.slice/ledge-server.service\n0::/system.slice/ledge-server.service/main'))).toBe(true);
});

test.each([
  ['a terminal', machine('0::/user.slice/user-1000.slice/session-2.scope'), { INVOCATION_ID: 'f00' }],
  ['the supervisor as a unit', machine('0::/system.slice/ledge.service'), { INVOCATION_ID: 'f00' }],
  ['a name that only looks like it', machine('0::/system.slice/my-ledge-server.service'), { INVOCATION_ID: 'f00' }],
  ['a process that nobody invoked', machine('0::/system.slice/ledge-server.service'), {}],
  ['a container without systemd', machine('0::/system.slice/ledge-server.service', { booted: false }), { INVOCATION_ID: 'f00' }],
  ['a system without /proc', '/nonexistent', { INVOCATION_ID: 'f00' }],
])('%s is not', (_, root, environment) => {
  expect(ask(root, environment)).toBe(false);
});

test('a server that was started by itself, as in a container, has nobody who starts and stops services', () => {
  expect(chooseServiceManager({}, '/run/ledge/supervisor.sock', false)).toBeUndefined();
  expect(chooseServiceManager({}, '/run/ledge/supervisor.sock', true)).toBeDefined();
});
