/** The box says finally what is good enough; this is only told beforehand. */
export const MIN_PASSWORD_LENGTH = 10;
export type Strength = 'short' | 'weak' | 'fair' | 'good';

/** Runs such as `abcd`, `4321`, `qwert`, `aaaa` are worth one sign. */
const ROWS = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiopasdfghjklzxcvbnm', 'azertyuiopqsdfghjklmwxcvbn'];
const inRow = (a: string, b: string) => a === b || ROWS.some((row) => row.includes(a + b) || row.includes(b + a));
const COMMON = /password|passwort|motdepasse|raspberry|admin|letmein|welcome|ledge/g;

/** Signs that somebody who guesses has to find: rows and common words count once. */
function signsToGuess(password: string): number {
  const signs = [...password.toLowerCase().replace(COMMON, '*')];
  return signs.filter((sign, i) => i === 0 || !inRow(signs[i - 1] ?? '', sign)).length;
}

/** How hard a password is to guess, roughly: length counts most, then how many kinds of signs it has. */
export function strengthOf(password: string): Strength {
  if (password.length < MIN_PASSWORD_LENGTH) return 'short';
  const signs = signsToGuess(password);
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(password)).length;
  const bits = signs * (2.5 + kinds * 0.7);
  if (signs < 7 || bits < 28) return 'weak';
  return bits < 48 ? 'fair' : 'good';
}
