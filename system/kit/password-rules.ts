import { Problem } from '@ledge/contract';

export const MIN_PASSWORD_LENGTH = 10;

/** Beginnings of the passwords that everybody tries first; digits and signs around them do not help. */
const COMMON_WORDS = [
  'password passwort passwd motdepasse contrasena parola senha secret geheim letmein welcome willkommen changeme default master monkey',
  'dragon sunshine princess football baseball iloveyou trustno superman batman shadow michael computer internet raspberry raspberrypi',
  'raspbian homeassistant administrator admin root user guest login test testing ledge gateway qwerty qwertz azerty hello hallo summer winter',
]
  .join(' ')
  .split(' ');

const KEYBOARD_ROWS = [
  '1234567890',
  'qwertyuiop',
  'qwertzuiop',
  'azertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'yxcvbnm',
  'abcdefghijklmnopqrstuvwxyz',
];
const LEET: Record<string, string> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', $: 's', '@': 'a', '!': 'i' };

/** Fewer different characters than this is a pattern, not a password. */
const MIN_DISTINCT = 5;
/** So many characters must be left when runs such as `4567` or `aaaa` each count as one. */
const MIN_UNPREDICTABLE = 6;
const MIN_RUN = 3;

/** Why a password is too easy to guess, or undefined. `names`: what belongs to its owner or the box and so is no secret. */
export function passwordFault(password: string, names: readonly string[]): string | undefined {
  const length = [...password].length;
  if (length < MIN_PASSWORD_LENGTH) return `it has ${length} characters; ${MIN_PASSWORD_LENGTH} or more are wanted`;
  const plain = password.toLowerCase();
  if (new Set(plain).size < MIN_DISTINCT) return 'it repeats the same few characters';
  if (isRepeated(plain)) return 'it repeats one short piece';
  if (withoutRuns(plain).length < MIN_UNPREDICTABLE) return 'it is a row of neighbours on the keyboard or in the alphabet';
  const letters = lettersOf(plain);
  const core = plain.replaceAll(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  const meant = lettersOf([...core].map((character) => LEET[character] ?? character).join(''));
  if (COMMON_WORDS.some((word) => without(letters, word) === '' || without(meant, word) === '')) {
    return 'it is one of the passwords that are tried first';
  }
  const owned = names.map((name) => name.toLowerCase()).filter((name) => name.length >= MIN_RUN && plain.includes(name));
  const rest = owned.sort((a, b) => b.length - a.length).reduce(without, plain);
  if (owned.length > 0 && lettersOf(rest).length < MIN_RUN) return `it is little more than ${owned.join(' and ')}`;
  return undefined;
}

/** @throws Problem `weak-password` that says why. */
export function checkPassword(password: string, names: readonly string[], field = 'password'): void {
  const fault = passwordFault(password, names);
  if (fault) throw new Problem('weak-password', `${field} is too easy to guess: ${fault}.`, { errors: [{ field, message: fault }] });
}

const without = (text: string, word: string) => text.split(word).join('');
const lettersOf = (text: string) => text.replaceAll(/[^\p{L}]/gu, '');

/** Is it one piece of at most a third of its length, again and again? */
function isRepeated(text: string): boolean {
  for (let size = 1; size <= text.length / 3; size++) {
    if (
      text
        .slice(0, size)
        .repeat(Math.ceil(text.length / size))
        .startsWith(text)
    )
      return true;
  }
  return false;
}

const areNeighbours = (a: string, b: string) =>
  a === b || KEYBOARD_ROWS.some((row) => row.includes(a) && row.includes(b) && Math.abs(row.indexOf(a) - row.indexOf(b)) === 1);

/** The text with every run of at least {@link MIN_RUN} neighbours put together to its first character. */
function withoutRuns(text: string): string {
  const kept: string[] = [];
  let run: string[] = [];
  const close = () => kept.push(...(run.length >= MIN_RUN ? run.slice(0, 1) : run));
  for (const character of text) {
    const last = run.at(-1);
    if (last !== undefined && !areNeighbours(last, character)) {
      close();
      run = [];
    }
    run.push(character);
  }
  close();
  return kept.join('');
}
