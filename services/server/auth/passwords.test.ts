import { expect, test } from 'vitest';
import { PasswordHasher } from './passwords.ts';

test('a hash is verified by its password only, and carries its parameters', async () => {
  const hasher = new PasswordHasher();
  const stored = await hasher.hash('garden-Owl-77');
  expect(stored).toMatch(/^scrypt\$32768\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
  expect(await hasher.verify('garden-Owl-77', stored)).toBe(true);
  expect(await hasher.verify('garden-Owl-78', stored)).toBe(false);
  expect(await hasher.verifyNobody('garden-Owl-77')).toBe(false);
});

test('the same password has another hash each time', async () => {
  const hasher = new PasswordHasher();
  expect(await hasher.hash('garden-Owl-77')).not.toBe(await hasher.hash('garden-Owl-77'));
});

test('a hash with other parameters is verified by them', async () => {
  const { scryptSync } = await import('node:crypto');
  const salt = Buffer.from('salt');
  const key = scryptSync('old password', salt, 32, { N: 1024, r: 8, p: 1 });
  const stored = ['scrypt', 1024, 8, 1, salt.toString('base64url'), key.toString('base64url')].join('$');
  expect(await new PasswordHasher().verify('old password', stored)).toBe(true);
});

test('a password typed with composed or decomposed letters is the same one', async () => {
  const hasher = new PasswordHasher();
  expect(await hasher.verify('Gru\u0308nspecht 12', await hasher.hash('Gr\u00fcnspecht 12'))).toBe(true);
});

test('more than can wait are refused at once, and the others are served', async () => {
  const hasher = new PasswordHasher({ N: 2 ** 10, r: 8, p: 1 });
  const results = await Promise.allSettled(Array.from({ length: 40 }, () => hasher.verifyNobody('x')));
  const refused = results.filter((r) => r.status === 'rejected');
  expect(refused).toHaveLength(40 - 1 - 32);
  expect(refused[0]).toMatchObject({ reason: { code: 'too-many-tries', retryAfterS: 5 } });
  expect(await hasher.verifyNobody('x')).toBe(false);
});
