import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccessRule } from '@ledge/contract';
import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { Accounts } from './accounts.ts';
import { scratch } from './test-support.ts';
import { Users } from './users.ts';

async function make(dir: string, anonymous: { allowAnonymous: boolean; anonymousRules: AccessRule[] }) {
  mkdirSync(join(dir, 'mqtt'), { recursive: true });
  writeFileSync(join(dir, 'mqtt', 'device'), 'the secret\n');
  writeFileSync(join(dir, 'outside'), 'outside\n');
  const users = new Users(join(dir, 'users.db'));
  users.open();
  await users.put('gardener', { password: 'green tomatoes', rules: [] });
  const clock = fakeClock();
  const accounts = new Accounts(users, join(dir, 'mqtt'), 'ledge-test', () => anonymous, clock);
  const ask = (user: string | undefined, password?: string, address = '10.0.0.1', clientId = 'c') =>
    accounts.admit({ clientId, user, password: password === undefined ? undefined : Buffer.from(password), address });
  return { ask, clock, accounts, close: () => users.close() };
}
const CLOSED = { allowAnonymous: false, anonymousRules: [] };

test('a service comes in with the content of its file and gets the rights of its kind', async () => {
  using dir = scratch();
  const { ask, close } = await make(dir.path, CLOSED);
  const admission = await ask('ledge-device', 'the secret');
  expect(admission.admitted && admission.rights.maySubscribe('ledge-test/5/+/+/+/set')).toBe(true);
  expect(await ask('ledge-device', 'wrong')).toMatchObject({ admitted: false, code: 4 });
  expect(await ask('ledge-../outside', 'outside')).toMatchObject({ admitted: false });
  expect(await ask('ledge-media', '')).toMatchObject({ admitted: false });
  close();
});

test('the client ids of a service are its own, so that nobody ends its session or keeps its place', async () => {
  using dir = scratch();
  const { ask, close } = await make(dir.path, CLOSED);
  for (const id of ['ledge-device', 'ledge-device-things']) {
    expect(await ask('ledge-device', 'the secret', undefined, id)).toMatchObject({ admitted: true });
    expect(await ask('gardener', 'green tomatoes', undefined, id)).toEqual({
      admitted: false,
      code: 2,
      reason: 'has a client id that belongs to ledge-device',
    });
  }
  expect(await ask('gardener', 'green tomatoes', undefined, 'ledge-a1b2c3d4')).toMatchObject({ admitted: true });
  close();
});

test('without a name nobody comes in, unless a setting lets them; then its rules count, and stop to count when it changes', async () => {
  using dir = scratch();
  const settings: { allowAnonymous: boolean; anonymousRules: AccessRule[] } = { ...CLOSED };
  const { ask, accounts, close } = await make(dir.path, settings);
  expect(await ask(undefined)).toMatchObject({ admitted: false, code: 5 });
  Object.assign(settings, { allowAnonymous: true, anonymousRules: [{ filter: 'open/#', access: 'both' }] });
  const admission = await ask(undefined);
  expect(admission.admitted && admission.rights.mayPublish('open/a')).toBe(true);
  expect(admission.admitted && admission.rights.mayPublish('other')).toBe(false);
  settings.allowAnonymous = false;
  accounts.applySettings();
  expect(admission.admitted && admission.rights.mayPublish('open/a')).toBe(false);
  close();
});

test('wrong passwords make an address wait longer and longer; others, and a right one that is known, do not wait', async () => {
  using dir = scratch();
  const { ask, clock, close } = await make(dir.path, CLOSED);
  expect(await ask('gardener', 'green tomatoes')).toMatchObject({ admitted: true });
  for (let n = 0; n < 3; n++) expect(await ask('gardener', `wrong ${n}`)).toMatchObject({ admitted: false, code: 4 });
  let answered = false;
  const fourth = ask('gardener', 'wrong again').then((admission) => {
    answered = true;
    return admission;
  });
  expect(await ask('gardener', 'wrong', '10.0.0.2')).toMatchObject({ admitted: false });
  expect(await ask('gardener', 'green tomatoes')).toMatchObject({ admitted: true });
  expect(answered).toBe(false);
  await clock.advance(500);
  expect(await fourth).toMatchObject({ admitted: false });
  close();
});
