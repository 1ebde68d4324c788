import { PROBLEMS } from '@ledge/contract';
import { afterEach, expect, test } from 'vitest';
import { ApiProblem } from '../client/problem.ts';
import french from '../words/fr/shell.ts';
import { loadWords, speak } from '../words/words.ts';
import { fieldProblems, problemText } from './problem-text.ts';

await loadWords('shell');
afterEach(() => speak('en'));

const REFUSED = new ApiProblem('invalid-value', 'index is 9; 0 to 3 is wanted');
const WRONG_FIELD = new ApiProblem('invalid-value', 'a is 1; b is 2', { errors: [{ field: 'a', message: 'a is 1; 5 is wanted' }] });

test('every problem that the box can tell has a French sentence', () => {
  expect(Object.keys(PROBLEMS).filter((code) => !Object.hasOwn(french.problems, code))).toEqual([]);
});

test('in English the box speaks for itself', () => {
  expect(problemText(REFUSED)).toBe('index is 9; 0 to 3 is wanted');
  expect(fieldProblems(WRONG_FIELD)).toEqual({ a: 'a is 1; 5 is wanted' });
});

test("in French the code is said, and the box's sentence where it knows more", async () => {
  await speak('fr');
  expect(problemText(new ApiProblem('wrong-password', 'Name or password is wrong.'))).toBe('Le nom ou le mot de passe est faux.');
  expect(problemText(REFUSED)).toBe('Une valeur n’est pas acceptée. Le boîtier précise, en anglais : index is 9; 0 to 3 is wanted');
  expect(fieldProblems(WRONG_FIELD)).toEqual({ a: expect.stringMatching(/^Une valeur n’est pas acceptée\. .* a is 1; 5 is wanted$/) });
});

test('who tried too often is told in French how long to wait', async () => {
  await speak('fr');
  const locked = new ApiProblem('too-many-tries', 'ana is locked at 10.0.0.2 for 90 s after 5 wrong tries.', { retryAfterS: 90 });
  expect(problemText(locked)).toBe('Trop d’essais. Réessayez dans 1:30.');
});

test('what is no problem of the box is said as it is', async () => {
  await speak('fr');
  expect(problemText(new Error('odd'))).toBe('odd');
  expect(fieldProblems(undefined)).toEqual({});
});
