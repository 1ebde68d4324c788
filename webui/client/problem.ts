import type { FieldError, ProblemCode, ProblemDocument } from '@ledge/contract';

/** What a request can fail with: a problem that the box tells, or `unreachable` when it does not answer at all. */
export type Failure = ProblemCode | 'unreachable';

/** A refusal or a failure, with a sentence that can be shown. */
export class ApiProblem extends Error {
  readonly code: Failure;
  readonly errors: readonly FieldError[];
  /** Seconds after which it makes sense to try again. */
  readonly retryAfterS: number | undefined;

  constructor(
    code: Failure,
    sentence: string,
    { errors = [], retryAfterS, cause }: { errors?: FieldError[]; retryAfterS?: number | undefined; cause?: unknown } = {},
  ) {
    super(sentence, { cause });
    this.name = 'ApiProblem';
    this.code = code;
    this.errors = errors;
    this.retryAfterS = retryAfterS;
  }
}

/** Reads a problem document (RFC 9457), or makes one of an answer that is none, such as a proxy's. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterS = Number.isFinite(retryAfter) ? retryAfter : undefined;
  const body = (await response.json().catch(() => undefined)) as Partial<ProblemDocument> | undefined;
  if (typeof body?.code === 'string') {
    const sentence = body.detail ?? body.title ?? body.code;
    return new ApiProblem(body.code, sentence, { errors: (body.errors ?? []) as FieldError[], retryAfterS });
  }
  const code = response.status === 401 ? 'not-signed-in' : response.status >= 502 && response.status <= 504 ? 'unreachable' : 'internal';
  return new ApiProblem(code, `The box answered with status ${response.status}.`, { retryAfterS });
}

/** A sentence for whatever was thrown. */
export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
