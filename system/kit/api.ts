import type { Answer, Call, CallerRole, Operation } from '@ledge/contract';
import type { Request, Response, Router } from 'express';

/** Who asks, as the gateway says: it is the only place that knows. */
export interface Caller {
  /** Name of the person or token; empty when nobody is signed in (operations for `public` only). */
  user: string;
  /** Already looked at, as the operation's `for` wants it. */
  role: CallerRole;
}

/** A parsed call with what is left of HTTP. */
export interface Handled<O extends Operation> extends Call<O> {
  /** Who asks. */
  caller: Caller;
  /** Express's request, for what the operation does not say (headers, an upload's bytes). */
  request: Request;
  /** For operations that stream; others return their answer. */
  response: Response;
  /** Ends when the client goes away. */
  signal: AbortSignal;
}

/** Routes of one service: each is an {@link Operation} of the contract and a handler that returns the answer or throws a Problem. */
export interface Api {
  /**
   * Serves an operation: what came is parsed before, who asks is looked at before, and what the handler throws is answered as a problem document:
   * a {@link Problem} as it is, anything else as `internal`, and logged.
   */
  handle<const O extends Operation>(operation: O, handler: (call: Handled<O>) => Promise<Answer<O>> | Answer<O>): void;
  /** For the rare route that is no operation (static files, a proxy). Mounted after the operations. */
  readonly router: Router;
}
