import { expect, test } from 'vitest';
import { differences } from './lock.ts';

const lock = { date: '2026-11-24T00:00:00Z', layers: { base: { bash: '5.2-1', gone: '1' } } };

test('what was built otherwise than the lock says is told in words', () => {
  expect(differences(lock, { base: { bash: '5.2-2', added: '3' } })).toEqual([
    'base: bash is 5.2-2, locked is 5.2-1',
    'base: added 3 is new',
    'base: gone is gone',
  ]);
});

test('nothing is said of what is as locked, nor of layers that were not built', () => {
  expect(differences({ ...lock, layers: { ...lock.layers, kiosk: { cage: '1' } } }, { base: { bash: '5.2-1', gone: '1' } })).toEqual([]);
});
