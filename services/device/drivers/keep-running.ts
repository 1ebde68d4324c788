import type { Clock } from '@ledge/kit';
import type { ChildProcessPort } from '@ledge/sdk';
import { createBackoff } from './backoff.ts';

/** A child that lived this long was well: its next death begins with a short wait again. */
const WELL_AFTER_MS = 60_000;

export interface Kept {
  readonly running: boolean;
  /** Ends the child and starts another one in its place. */
  restart(): Promise<void>;
  /** Ends the child for good. */
  stop(): Promise<void>;
}

export interface KeepOptions {
  clock: Clock;
  /** Told when the child died by itself, or could not be started again, and how long it takes to the next try. */
  died(stderr: string, waitMs: number): void;
}

/**
 * Keeps one child process running: a dead one is started again, after waits that grow.
 * @param start starts it and resolves when it does its work; the signal ends it
 * @throws what `start` throws the first time
 */
export async function keepRunning(start: (signal: AbortSignal) => Promise<ChildProcessPort>, { clock, died }: KeepOptions): Promise<Kept> {
  const stopped = new AbortController();
  const backoff = createBackoff();
  let child: ChildProcessPort | undefined;
  let cancelRetry = () => {};
  let turn: Promise<unknown> = Promise.resolve();

  /** One change of the child at a time. */
  const inTurn = (task: () => Promise<void>): Promise<void> => {
    const done = turn.then(task);
    turn = done.catch(() => {});
    return done;
  };
  const end = async () => {
    const old = child;
    child = undefined;
    old?.kill();
    await old?.ended;
  };
  const replace = () =>
    inTurn(async () => {
      cancelRetry();
      await end();
      if (stopped.signal.aborted) return;
      const next = await start(stopped.signal);
      const startedMs = clock.monotonic();
      child = next;
      void next.ended.then(({ stderr }) => {
        if (child !== next || stopped.signal.aborted) return;
        child = undefined;
        if (clock.monotonic() - startedMs >= WELL_AFTER_MS) backoff.reset();
        retryLater(stderr);
      });
    });
  const retryLater = (stderr: string) => {
    const waitMs = backoff.next();
    died(stderr, waitMs);
    cancelRetry();
    cancelRetry = clock.after(waitMs, () => {
      replace().catch(failed);
    });
  };
  const failed = (error: unknown) => {
    if (!stopped.signal.aborted) retryLater(((error as Error).cause as Error | undefined)?.message ?? String(error));
  };

  await replace();
  return {
    get running() {
      return child !== undefined;
    },
    restart: () =>
      replace().catch((error: unknown) => {
        failed(error);
        throw error;
      }),
    async stop() {
      stopped.abort();
      cancelRetry();
      await inTurn(end);
    },
  };
}
