import { ApiProblem } from '../../client/problem.ts';

/** One mistake in a thing file, with its place where the box could tell it. */
export interface Mistake {
  line: number | undefined;
  message: string;
}

/** The mistakes that the box found in a file; undefined when it was something else that went wrong. */
export function mistakesOf(error: unknown): Mistake[] | undefined {
  if (!(error instanceof ApiProblem) || error.code !== 'thing-invalid') return undefined;
  const found = error.errors.map(({ line, message }) => ({ line, message: message.replace(/^line \d+: /, '') }));
  return found.length > 0 ? found : [{ line: undefined, message: error.message }];
}
