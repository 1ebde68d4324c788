import { z } from 'zod';
import type { Role } from './access.ts';
import type { ProblemCode } from './problems.ts';

/** HTTP methods that an operation can have. */
export type Method = 'get' | 'put' | 'post' | 'delete';

/** Who may call: everybody (`public`), whoever is signed in (`viewer`), or those who may change things (`admin`). */
export type Audience = 'public' | Role;

/**
 * One endpoint as data: the server's router, the OpenAPI document and the browser's types all come from it.
 * `path` is written as OpenAPI writes it: `/things/{thing}`.
 */
export interface Operation {
  /** `get` changes nothing. */
  method: Method;
  /** Within the service's own API, which is `/api/<service>` for everybody else. */
  path: string;
  /** One line for the OpenAPI document. */
  summary: string;
  /** Others are refused with `not-signed-in` or `not-allowed` before the handler is called. */
  for: Audience;
  /** The `{…}` of the path, which come as text. What does not fit is refused with `invalid-value`, as in `query` and `body`. */
  params?: z.ZodObject;
  /** Values of the query come as text: `z.coerce.number()` makes numbers of them. */
  query?: z.ZodObject;
  /** JSON body, 1 MiB at most. Absent for none. */
  body?: z.ZodType;
  /** The body is taken as a stream of bytes of any of these media types. */
  upload?: readonly string[];
  /** JSON answer with status 200; `z.void()` answers 204. */
  response?: z.ZodType;
  /** The handler writes the answer itself, of this media type. */
  streams?: string;
  /** What its handler throws beside what every operation may answer; for the OpenAPI document. */
  problems?: readonly ProblemCode[];
}

/** Keeps the types of an operation, so that its handler gets what the schemas say; does nothing else. */
export const operation = <const O extends Operation>(o: O): O => o;

/** What a schema makes of what came, or undefined where there is none. */
export type Out<S> = S extends z.ZodType ? z.output<S> : undefined;
type In<S> = S extends z.ZodType ? z.input<S> : undefined;

/** What a handler receives after parsing. */
export interface Call<O extends Operation> {
  /** The `{…}` of the path. */
  params: Out<O['params']>;
  /** What stands behind the `?`. */
  query: Out<O['query']>;
  /** The JSON body. */
  body: Out<O['body']>;
}
/** What a handler returns. Streaming operations write their answer themselves; what theirs returns is not looked at. */
export type Answer<O extends Operation> = O['response'] extends z.ZodType ? z.input<O['response']> : unknown;
/** What a client sends and gets. */
export interface Ask<O extends Operation> {
  params: In<O['params']>;
  query: In<O['query']>;
  body: In<O['body']>;
}
export type Got<O extends Operation> = O['response'] extends z.ZodType ? z.output<O['response']> : undefined;

/** One page of a list; `cursor` asks for the next one and is absent on the last. */
export const pageOf = <S extends z.ZodType>(item: S) => z.object({ items: z.array(item), cursor: z.string().optional() });
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().optional(),
});
