import { Problem } from '@ledge/contract';
import { expect, test } from 'vitest';
import { checkPassword, passwordFault } from './password-rules.ts';

const NAMES = ['admin', 'ledge-a1b2c3d4', 'Garden box'];

test.each([
  'short',
  'aaaaaaaaaaaa',
  'abababababab',
  'abcabcabcabc',
  '1234567890',
  '123456789012',
  'qwertyuiop12',
  'abcdefghijkl',
  'password123',
  'Passw0rd!!!!',
  'P@55word2024',
  'raspberry1234',
  'administrator',
  'adminadmin12',
  'Admin-2024-!',
  'ledge-a1b2c3d4',
  'gardenbox Garden box',
])('refuses %s', (password) => {
  expect(passwordFault(password, [...NAMES, 'gardenbox'])).toBeTypeOf('string');
});

test.each(['correct horse battery', 'garden-Owl-77', 'tR0ub4dor&3x', 'zwölf Böxkämpfer', 'k9#Lm2$vQx', 'admin eats blue cheese'])(
  'takes %s',
  (password) => {
    expect(passwordFault(password, NAMES)).toBeUndefined();
  },
);

test('counts characters, not code units', () => {
  expect(passwordFault('🦉🦊🐝🐙🦉', [])).toContain('5 characters');
});

test('the problem names the field and says why', () => {
  expect(() => checkPassword('1234567890', [], 'new')).toThrow(Problem);
  expect(() => checkPassword('1234567890', [], 'new')).toThrow(/^new is too easy to guess: /);
});
