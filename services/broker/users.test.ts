import { pbkdf2Sync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { scratch } from './test-support.ts';
import { Users } from './users.ts';

const PASSWORD = Buffer.from('green tomatoes');
const RULES = [{ filter: 'garden/#', access: 'both' } as const];

function open(dir: string, engine?: 'mosquitto'): Users {
  const users = new Users(join(dir, 'users.db'), engine);
  users.open();
  return users;
}

test('a user survives a restart, with rules and a password that is nowhere in the file', async () => {
  using dir = scratch();
  const users = open(dir.path);
  await users.put('gardener', { password: 'green tomatoes', rules: RULES });
  users.close();
  const again = open(dir.path);
  expect(again.list()).toEqual([{ name: 'gardener', rules: RULES }]);
  expect((await again.verify('gardener', PASSWORD))?.mayPublish('garden/a')).toBe(true);
  expect(await again.verify('gardener', Buffer.from('red tomatoes'))).toBeUndefined();
  expect(await again.verify('nobody', PASSWORD)).toBeUndefined();
  again.close();
});

test('a hundred clients that come at once with one password cost little more than one', async () => {
  using dir = scratch();
  const users = open(dir.path);
  await users.put('gardener', { password: 'green tomatoes' });
  const startMs = performance.now();
  await users.verify('gardener', Buffer.from('red tomatoes'));
  const oneMs = performance.now() - startMs;
  const allStartMs = performance.now();
  const rights = await Promise.all(Array.from({ length: 100 }, () => users.verify('gardener', PASSWORD)));
  const hundredMs = performance.now() - allStartMs;
  expect(rights.every((found) => found !== undefined)).toBe(true);
  expect(hundredMs).toBeLessThan(25 * oneMs);
  users.close();
});

test('a password that was right is recalled without hashing, until it changes', async () => {
  using dir = scratch();
  const users = open(dir.path);
  await users.put('gardener', { password: 'green tomatoes' });
  expect(users.recall('gardener', PASSWORD)).toBeUndefined();
  await users.verify('gardener', PASSWORD);
  expect(users.recall('gardener', PASSWORD)).toBeDefined();
  expect(users.recall('gardener', Buffer.from('red tomatoes'))).toBeUndefined();
  await users.put('gardener', { password: 'something else' });
  expect(users.recall('gardener', PASSWORD)).toBeUndefined();
  users.close();
});

test('changed rules count for rights that were given before, and removal takes them all', async () => {
  using dir = scratch();
  const users = open(dir.path);
  await users.put('gardener', { password: 'green tomatoes', rules: RULES });
  const rights = await users.verify('gardener', PASSWORD);
  expect(rights?.mayReceive('garden/a')).toBe(true);
  await users.put('gardener', { rules: [{ filter: 'house/#', access: 'both' }] });
  expect([rights?.mayReceive('garden/a'), rights?.mayReceive('house/a')]).toEqual([false, true]);
  expect(await users.verify('gardener', PASSWORD)).toBe(rights);
  users.remove('gardener');
  expect(rights?.mayReceive('house/a')).toBe(false);
  expect(users.remove('gardener')).toBe(false);
  users.close();
});

test('a user without a password cannot come in', async () => {
  using dir = scratch();
  const users = open(dir.path);
  await users.put('gardener', { rules: RULES });
  expect(await users.verify('gardener', Buffer.alloc(0))).toBeUndefined();
  users.close();
});

test('a file of users that cannot be read is a problem, and is left as it is', () => {
  using dir = scratch();
  writeFileSync(join(dir.path, 'users.db'), Buffer.alloc(5000, 'rubbish'));
  expect(() => open(dir.path)).toThrow(expect.objectContaining({ code: 'storage-failed' }));
});

test('mosquitto gets a hash of each password that is set, and is told who has none that it can check', async () => {
  using dir = scratch();
  const users = open(dir.path);
  await users.put('gardener', { password: 'green tomatoes', rules: RULES });
  await users.put('cook', { password: 'red tomatoes', rules: [] });
  users.close();
  // an older Ledge does not know of the second hash
  const db = new DatabaseSync(join(dir.path, 'users.db'));
  db.exec("UPDATE user SET salt = x'00', hash = x'00' WHERE name = 'cook'");
  db.close();

  const again = open(dir.path, 'mosquitto');
  const [cook, gardener] = again.forMosquitto();
  expect(cook).toMatchObject({ name: 'cook', hash: undefined });
  expect(again.list()).toEqual([
    { name: 'cook', rules: [], needsPassword: true },
    { name: 'gardener', rules: RULES },
  ]);
  const { salt = Buffer.alloc(0), hash, iterations = 0 } = gardener?.hash ?? {};
  expect(Buffer.from(hash ?? [])).toEqual(pbkdf2Sync('green tomatoes', salt, iterations, 64, 'sha512'));
  expect(await again.put('cook', { password: 'blue tomatoes' })).toEqual({ name: 'cook', rules: [] });
  again.remove('cook');
  expect(again.forMosquitto()).toHaveLength(1);
  again.close();
});
