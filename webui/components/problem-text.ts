import { language } from '../client/format.ts';
import { ApiProblem, sentenceOf } from '../client/problem.ts';
import { words } from '../words/words.ts';

/** A sentence for whatever went wrong. The box speaks English and names field and value; other languages say it by the problem's code. */
export function problemText(error: unknown): string {
  if (!(error instanceof ApiProblem)) return sentenceOf(error);
  if (language.value === 'en') return error.message;
  return words('shell').problems[error.code] ?? error.message;
}

/** What is wrong with each field, as the box named it; `''` holds what belongs to none. */
export function fieldProblems(error: unknown): Record<string, string> {
  if (!(error instanceof ApiProblem) || error.errors.length === 0) return error === undefined ? {} : { '': problemText(error) };
  return Object.fromEntries(error.errors.map(({ field, message }) => [field, message]));
}
