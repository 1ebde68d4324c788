import { existsSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeClock } from '@ledge/testing';
import pino from 'pino';
import { expect, test } from 'vitest';
import { AuditLog } from './audit.ts';
import { openSettingsDatabase } from './database.ts';
import { takeFirstAdmin } from './first-admin.ts';
import { isUsableHash, PasswordHasher } from './passwords.ts';
import { Sessions } from './sessions.ts';
import { Users } from './users.ts';

const PASSWORD = 'garden-Owl-77';
const NEWER = 'harbour-Elk-31';

function box() {
  const dir = mkdtempSync(join(tmpdir(), 'ledge-first-admin-'));
  const file = join(dir, 'first-admin');
  const aside = join(dir, 'first-admin.refused');
  const db = openSettingsDatabase(':memory:');
  const clock = fakeClock();
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const users = new Users(db, new PasswordHasher({ N: 2 ** 10, r: 8, p: 1 }), ['ledge-a1b2c3d4']);
  const audit = new AuditLog(db, clock, log);
  const sessions = new Sessions(db, clock, () => 60_000);
  const take = (content?: string) => {
    if (content !== undefined) writeFileSync(file, content);
    return takeFirstAdmin({ file, aside, users, audit, log });
  };
  const audited = () => audit.page(10, undefined).items.map(({ action, status }) => ({ action, status }));
  return { dir, file, aside, users, audit, sessions, take, audited, log: () => lines.join('') };
}

test('a password that was left is taken, wiped, written down and told, but not shown', async () => {
  const { file, users, take, audited, log } = box();
  await take(`{"password":"${PASSWORD}"}\n`);
  expect(await users.verify('admin', PASSWORD)).toEqual({ name: 'admin', role: 'admin' });
  expect(existsSync(file)).toBe(false);
  expect(audited()).toEqual([{ action: 'first-admin', status: 200 }]);
  expect(log()).toContain('was taken');
  expect(log()).not.toContain(PASSWORD);
});

test('a hash does as well, so that the password itself is never on the card', async () => {
  const { users, take } = box();
  const hash = await new PasswordHasher({ N: 2 ** 14, r: 8, p: 1 }).hash(PASSWORD);
  await take(JSON.stringify({ hash }));
  expect(await users.verify('admin', PASSWORD)).toBeDefined();
});

test('it wins over a password that was chosen before, which is how a lost one is replaced, and ends the sessions', async () => {
  const { users, sessions, take } = box();
  await users.setUp(PASSWORD);
  const { secret } = sessions.open('admin');
  await take(`{"password":"${NEWER}"}`);
  expect(await users.verify('admin', PASSWORD)).toBeUndefined();
  expect(await users.verify('admin', NEWER)).toBeDefined();
  expect(sessions.find(secret)).toBeUndefined();
});

test('one wish is carried out once, also when it could not be wiped or the power went before', async () => {
  const { users } = box();
  expect(await users.takeFirstAdmin({ password: PASSWORD }, 'one')).toBe(true);
  await users.changePassword('admin', NEWER);
  expect(await users.takeFirstAdmin({ password: PASSWORD }, 'one')).toBe(false);
  expect(await users.verify('admin', NEWER)).toBeDefined();
  expect(await users.takeFirstAdmin({ password: PASSWORD }, 'two')).toBe(true);
});

test('nothing left is nothing to do, also where the file itself is always there', async () => {
  const { users, take, log } = box();
  await take();
  await take('');
  await take('   \n');
  expect(users.setupNeeded).toBe(true);
  expect(log()).toBe('');
});

test.each([
  ['no JSON', 'password: swordfish-Lime-4'],
  ['a weak password', '{"password":"ledge-a1b2c3d4"}'],
  ['a hash that is none', '{"hash":"swordfish-Lime-4"}'],
  ['a hash that costs nothing', `{"hash":"scrypt$2$8$1$${'a'.repeat(22)}$${'a'.repeat(43)}"}`],
  ['both', `{"password":"swordfish-Lime-4","hash":"x"}`],
  ['far too much', `{"password":"${'x'.repeat(10_000)}"}`],
])('%s is told without its words and set aside, and what was chosen before stays', async (_, content) => {
  const { file, aside, users, take, audited, log } = box();
  await users.setUp(PASSWORD);
  await take(content);
  expect(await users.verify('admin', PASSWORD)).toBeDefined();
  expect(log()).toContain('cannot be used');
  expect(log()).not.toContain('swordfish');
  expect(existsSync(file)).toBe(false);
  expect(readFileSync(aside, 'utf8').trim()).toBe(content.slice(0, 4096));
  expect(audited()).toEqual([{ action: 'first-admin', status: expect.toSatisfy((status: number) => status >= 400) }]);
});

test('a link in its place is not followed', async () => {
  const { dir, file, users, take, log } = box();
  writeFileSync(join(dir, 'other'), `{"password":"${PASSWORD}"}`);
  symlinkSync(join(dir, 'other'), file);
  await take();
  expect(users.setupNeeded).toBe(true);
  expect(log()).toContain('cannot be read');
});

test.each([
  [32768, 8, 1, true],
  [16384, 8, 1, true],
  [65536, 8, 1, true],
  [131072, 8, 1, false],
  [8192, 8, 1, false],
  [32769, 8, 1, false],
  [32768, 8, 9, false],
])('a hash with N=%i r=%i p=%i is usable: %s', (N, r, p, usable) => {
  expect(isUsableHash(`scrypt$${N}$${r}$${p}$${'a'.repeat(22)}$${'a'.repeat(43)}`)).toBe(usable);
});
