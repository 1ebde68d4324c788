import { z } from 'zod';
import type { Role } from './access.ts';
import type { ProblemCode } from './problems.ts';

export type Method = 'get' | 'put' | 'post' | 'delete';

/** Who may call: everybody (`public`), whoever is signed in (`viewer`), or those who may change things (`admin`). */
export type Audience = 'public' | Role;

/**
 * One endpoint as data: the server's router, the OpenAPI document and the browser's types all come from it.
 * `path` is written as OpenAPI writes it: `/things/{thing}`.
 */
export interface Operation {
  method: Method;
  path: string;
  summary: string;
  for: Audience;
  params?: z.ZodObject;
  query?: z.ZodObject;
  /** JSON body. Absent for none. */
  body?: z.ZodType;
  /** The body is taken as a stream of bytes of any of these media types. */
  upload?: readonly string[];
  /** JSON answer with status 200; `z.void()` answers 204. */
  response?: z.ZodType;
  /** The handler writes the answer itself, of this media type. */
  streams?: string;
  problems?: readonly ProblemCode[];
}

export const operation = <const O extends Operation>(o: O): O => o;

type Out<S> = S extends z.ZodType ? z.output<S> : undefined;
type In<S> = S extends z.ZodType ? z.input<S> : undefined;

/** What a handler receives after parsing. */
export interface Call<O extends Operation> {
  params: Out<O['params']>;
  query: Out<O['query']>;
  body: Out<O['body']>;
}
/** Streaming operations write their answer themselves; what their handler returns is not looked at. */
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
