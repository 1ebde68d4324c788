import { expect, test } from 'vitest';
import { strengthOf } from './strength.ts';

test.each([
  ['short', 'short'],
  ['password12', 'weak'],
  ['1234567890', 'weak'],
  ['aaaaaaaaaaaaaaaa', 'weak'],
  ['qwertyuiop', 'weak'],
  ['gardenhose', 'fair'],
  ['correct horse battery', 'good'],
  ['tR4!vq-92Kz_', 'good'],
] as const)('%s is %s', (password, strength) => {
  expect(strengthOf(password)).toBe(strength);
});
