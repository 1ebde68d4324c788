import { z } from 'zod';

/**
 * Every problem that Ledge tells, by its stable code: HTTP status and a title for people. RFC 9457.
 * A test holds that each code is used, and that each used code is here.
 */
export const PROBLEMS = {
  'bad-request': [400, 'The request cannot be understood'],
  'invalid-value': [400, 'A value is not what was wanted'],
  'not-signed-in': [401, 'Sign in first'],
  'wrong-password': [401, 'Name or password is wrong'],
  'not-allowed': [403, 'Your role does not allow this'],
  'cross-site': [403, 'Requests from other sites are refused'],
  'not-found': [404, 'There is nothing here by that name'],
  'method-not-allowed': [405, 'This address does not take that method'],
  'setup-done': [409, 'The first set-up is already done'],
  'setup-needed': [409, 'Choose the admin password first'],
  'locked-by-environment': [409, 'This setting is fixed by the environment'],
  'not-supported': [409, 'This machine cannot do that'],
  'command-rejected': [409, 'The thing refused the command'],
  'payload-too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'A body of this type is not taken here'],
  'weak-password': [422, 'That password is too easy to guess'],
  'not-settable': [422, 'This property cannot be set'],
  'too-many-tries': [429, 'Too many tries; wait and try again'],
  'too-many-readers': [503, 'Too many streams are open'],
  internal: [500, 'Something went wrong inside'],
  'service-away': [502, 'The service does not answer'],
  'bus-away': [503, 'The message broker is away'],
  'player-missing': [503, 'mplayer is not installed'],
  'player-failed': [502, 'mplayer does not answer'],
  'command-timed-out': [504, 'The thing did not answer in time'],
  'config-invalid': [500, 'The configuration has a mistake'],
  'already-running': [500, 'Another Ledge uses this data directory'],
  'port-taken': [500, 'The port is in use'],
  'driver-unavailable': [500, 'This machine lacks what the driver needs'],
  'sensor-failed': [500, 'The sensor could not be read'],
  'thing-invalid': [422, 'The thing file has a mistake'],
  'backup-unknown': [422, 'This file is no backup of Ledge'],
  'backup-too-new': [422, 'The backup was made by a newer Ledge'],
  'backup-damaged': [422, 'The backup is damaged or incomplete'],
  'backup-wrong-passphrase': [422, 'The passphrase does not open this backup'],
  'backup-locked': [409, 'The backup needs its passphrase first'],
  'backup-refused': [422, 'A service cannot take its part of the backup'],
  'backup-busy': [409, 'Another backup or restore is under way'],
  'storage-full': [507, 'There is not enough room on the disk'],
  'storage-failed': [500, 'Storage could not be read or written'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

/** A stable code of a problem; see {@link PROBLEMS}. */
export type ProblemCode = keyof typeof PROBLEMS;

/** RFC 9457 problem document, with our stable `code` and, for bad values, the fields concerned. */
export interface ProblemDocument {
  /** `urn:ledge:problem:<code>` */
  type: string;
  /** For people, the same for each problem of that code. */
  title: string;
  /** HTTP status. */
  status: number;
  /** What programs decide by. */
  code: ProblemCode;
  /** The sentence of this very problem. */
  detail?: string | undefined;
  /** One entry per field that is wrong. */
  errors?: { field: string; message: string; line?: number | undefined }[] | undefined;
}
export const problemSchema = z.object({
  type: z.string().meta({ description: '`urn:ledge:problem:<code>`' }),
  title: z.string(),
  status: z.int(),
  code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
  detail: z.string().optional(),
  errors: z
    .array(
      z.object({
        field: z.string(),
        message: z.string(),
        line: z.int().optional().meta({ description: 'where it stands, counted from 1, when a file was given' }),
      }),
    )
    .optional()
    .meta({ description: 'one entry per field that is wrong' }),
}) satisfies z.ZodType<ProblemDocument>;
/** One field that is wrong. */
export interface FieldError {
  /** Keys with dots between them: `options.pin`. */
  field: string;
  /** A sentence that names field, value and what was wanted. */
  message: string;
  /** Where it stands, counted from 1, when a file was given. */
  line?: number;
}

/** An error with a stable code, a sentence for people that names field, value and what was wanted, and its cause. */
export class Problem extends Error {
  /** What programs decide by. */
  readonly code: ProblemCode;
  /** The fields concerned, when values are wrong. */
  readonly errors: FieldError[] | undefined;
  /** Seconds after which it makes sense to try again (HTTP Retry-After). */
  readonly retryAfterS: number | undefined;

  /**
   * @param code decides the HTTP status
   * @param detail the sentence, for people
   * @param options `retryAfterS` in seconds
   */
  constructor(code: ProblemCode, detail: string, options: { cause?: unknown; errors?: FieldError[]; retryAfterS?: number } = {}) {
    super(detail, { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.errors = options.errors;
    this.retryAfterS = options.retryAfterS;
  }

  /** HTTP status, by the code. */
  get status(): number {
    return PROBLEMS[this.code][0];
  }

  /** As RFC 9457 writes it. */
  toDocument(): ProblemDocument {
    return {
      type: `urn:ledge:problem:${this.code}`,
      title: PROBLEMS[this.code][1],
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.errors ? { errors: this.errors } : {}),
    };
  }
}

/** Short, printable form of a value for an error sentence. */
export function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function at(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], input);
}

/** Turns zod's issues into sentences that name the field, the value and what was wanted. */
export function fieldErrors(error: z.core.$ZodError, input: unknown): FieldError[] {
  return error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const field = [...issue.path, issue.keys[0] ?? ''].join('.');
      return { field, message: `${field} is not known here` };
    }
    const field = issue.path.join('.');
    const wanted = issue.message.replace(/^Invalid (input|option): /, '').replace(/^Too (small|big): /, '');
    return { field, message: `${field || 'the value'} is ${shown(at(input, issue.path))}; ${wanted}` };
  });
}

/** Parses at the border: returns what the schema says or throws a {@link Problem} with every wrong field named. */
export function parse<S extends z.ZodType>(schema: S, input: unknown, code: ProblemCode = 'invalid-value', where = ''): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const errors = fieldErrors(result.error, input);
  const sentence = errors.map((e) => e.message).join('; ');
  throw new Problem(code, where ? `${where}: ${sentence}` : sentence, { cause: result.error, errors });
}
