import { countdownText } from '../client/age.ts';
import { language } from '../client/format.ts';
import { ApiProblem, type Failure, sentenceOf } from '../client/problem.ts';
import { words } from '../words/words.ts';

/** Said whole by their code. Of all others the box's own sentence knows more: which field, which file, what a device answered. */
const WHOLE: ReadonlySet<Failure> = new Set([
  'unreachable',
  'not-signed-in',
  'wrong-password',
  'too-many-tries',
  'cross-site',
  'setup-done',
  'setup-needed',
  'command-timed-out',
  'bus-away',
  'player-missing',
  'too-many-readers',
  'backup-unknown',
  'backup-too-new',
  'backup-wrong-passphrase',
  'backup-locked',
  'backup-busy',
  'internal',
]);

/** The box speaks English and names field and value; other languages say it by the problem's code, and then what the box said. */
function told({ code, retryAfterS }: ApiProblem, sentence: string): string {
  if (language.value === 'en') return sentence;
  const t = words('shell');
  const translated = t.problems[code];
  if (translated === undefined) return sentence;
  if (code === 'too-many-tries' && retryAfterS) return `${translated} ${t.gate.tryIn(countdownText(retryAfterS))}`;
  return WHOLE.has(code) ? translated : `${translated} ${t.boxSays(sentence)}`;
}

/** A sentence for whatever went wrong. */
export const problemText = (error: unknown): string => (error instanceof ApiProblem ? told(error, error.message) : sentenceOf(error));

/** What is wrong with each field, as the box named it; `''` holds what belongs to none. */
export function fieldProblems(error: unknown): Record<string, string> {
  if (!(error instanceof ApiProblem) || error.errors.length === 0) return error === undefined ? {} : { '': problemText(error) };
  return Object.fromEntries(error.errors.map(({ field, message }) => [field, told(error, message)]));
}
