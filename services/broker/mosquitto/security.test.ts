import { expect, test } from 'vitest';
import { hashOfSecret } from './password.ts';
import { type Account, aclsOf, commandsBetween, type Guests, securityDocument } from './security.ts';

const account = (name: string, changes: Partial<Account> = {}): Account => ({
  name,
  rules: [{ filter: `${name}/#`, access: 'both' }],
  hash: hashOfSecret('x'),
  passwordId: '1',
  password: 'x',
  ...changes,
});
const guests = (...accounts: Account[]): Guests => ({ accounts, anonymous: [] });
const names = (before: Guests, after: Guests) => commandsBetween(before, after)?.map(({ command }) => command);

test('a new account is made, a changed one changed, one that is gone removed, and the others are left alone', () => {
  const same = account('same');
  expect(names(guests(same), guests(same, account('new')))).toEqual(['createRole', 'createClient']);
  expect(names(guests(same), guests(account('same', { rules: [] })))).toEqual(['modifyRole']);
  expect(names(guests(same), guests(account('same', { passwordId: '2' })))).toEqual(['setClientPassword']);
  expect(names(guests(same, account('old')), guests(same))).toEqual(['deleteClient', 'deleteRole']);
  expect(names(guests(same), guests(account('same')))).toEqual([]);
  expect(names(guests(), { accounts: [], anonymous: same.rules })).toEqual(['modifyRole']);
});

test('a password that is not known in clear cannot be told to a mosquitto that runs', () => {
  const { password: _, ...unknown } = account('new', { passwordId: '2' });
  expect(commandsBetween(guests(), guests(unknown))).toBeUndefined();
  expect(commandsBetween(guests(account('new')), guests(unknown))).toBeUndefined();
  expect(commandsBetween(guests(account('new', { passwordId: '2' })), guests(unknown))).toEqual([]);
});

test('no rule gives a hand on users and rules', () => {
  const acls = aclsOf([
    { filter: '#', access: 'both' },
    { filter: '$CONTROL/#', access: 'both' },
    { filter: '$CONTROL/dynamic-security/v1', access: 'publish' },
  ]);
  const highest = acls.filter(({ topic }) => topic === '$CONTROL/#');
  expect(highest.map(({ acltype, allow }) => [acltype, allow])).toEqual([
    ['publishClientSend', false],
    ['publishClientReceive', false],
    ['subscribePattern', false],
  ]);
  for (const { priority, topic } of acls) if (topic !== '$CONTROL/#') expect(priority).toBeLessThan(highest[0]?.priority ?? 0);
});

test('names and filters with any signs in them stay within their strings', () => {
  const filter = 'a"},{"b\n\u2028/#';
  const document = securityDocument(
    guests(account('x"y', { rules: [{ filter, access: 'publish' }] })),
    account('engine'),
    account('kicker'),
  );
  const { roles } = JSON.parse(document) as { roles: { rolename: string; acls: { topic: string }[] }[] };
  expect(roles.find(({ rolename }) => rolename === 'account x"y')?.acls.map(({ topic }) => topic)).toContain(filter);
  expect(document.includes('\n')).toBe(false);
  // JSON with half of a pair is refused as a whole
  expect(aclsOf([{ filter: 'a/\ud800', access: 'both' }])).toEqual(aclsOf([]));
});
