import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeClock, until } from '@ledge/testing';
import { expect, test } from 'vitest';
import { scratch } from '../test-support.ts';
import { Users } from '../users.ts';
import { BoxGuestBook } from './guests.ts';

function make(dir: string) {
  const secrets = join(dir, 'mqtt');
  mkdirSync(secrets);
  const users = new Users(join(dir, 'users.db'));
  users.open();
  const settings = { allowAnonymous: false, anonymousRules: [{ filter: 'open/#', access: 'both' } as const] };
  const clock = fakeClock();
  const book = new BoxGuestBook(users, secrets, 'ledge-test', () => settings, clock);
  const read = async () => (await book.read()).accounts.map(({ name }) => name);
  return { book, read, users, settings, clock, secrets };
}

test('services come in by their secrets, users by their hashes; drafts, empty files and users without a hash do not', async () => {
  using dir = scratch();
  const { book, read, users, settings, secrets } = make(dir.path);
  writeFileSync(join(secrets, 'device'), 'the secret\n');
  writeFileSync(join(secrets, 'empty'), '\n');
  writeFileSync(join(secrets, 'device.123.ab'), 'draft');
  await users.put('gardener', { password: 'green tomatoes', rules: [] });
  await users.put('nobody', { rules: [] });
  expect(await read()).toEqual(['ledge-device', 'gardener']);
  const [device] = (await book.read()).accounts;
  expect(device).toMatchObject({ password: 'the secret', rules: expect.arrayContaining([{ filter: '$SYS/#', access: 'deny' }]) });
  expect((await book.read()).anonymous).toEqual([]);
  settings.allowAnonymous = true;
  expect((await book.read()).anonymous).toEqual(settings.anonymousRules);
  users.close();
});

test('the same files give the same account, and another secret another', async () => {
  using dir = scratch();
  const { book, users, secrets } = make(dir.path);
  writeFileSync(join(secrets, 'device'), 'the secret\n');
  const [first] = (await book.read()).accounts;
  expect((await book.read()).accounts[0]).toBe(first);
  writeFileSync(join(secrets, 'device'), 'another secret\n');
  expect((await book.read()).accounts[0]?.passwordId).not.toBe(first?.passwordId);
  users.close();
});

test('a new secret is told, also where no event tells of it, and only once', async () => {
  using dir = scratch();
  const { book, users, clock, secrets } = make(dir.path);
  rmSync(secrets, { recursive: true }); // nothing to watch yet
  let told = 0;
  const stop = book.watch(() => told++);
  const toldTimes = (times: number) =>
    until(`it to be told ${times} times`, async () => {
      await clock.advance(1000);
      return told === times;
    });
  await toldTimes(1); // whoever came before it was watched
  mkdirSync(secrets);
  writeFileSync(join(secrets, 'device'), 'the secret\n');
  await toldTimes(2);
  await clock.advance(5000);
  stop();
  expect(told).toBe(2);
  users.close();
});

test('a new secret in a folder that is there is told at once', async () => {
  using dir = scratch();
  const { book, users, secrets } = make(dir.path);
  let told = 0;
  const stop = book.watch(() => told++);
  await until('the first look', () => told === 1);
  writeFileSync(join(secrets, 'device'), 'the secret\n');
  await until('the new secret to be told', () => told > 1); // the clock of this test stands still
  stop();
  users.close();
});
