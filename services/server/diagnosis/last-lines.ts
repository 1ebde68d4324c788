import type { LogLine } from '@ledge/contract';
import type { ServiceManager } from '@ledge/host';
import type { Clock } from '@ledge/kit';
import { nobodyKeepsLogs } from '../logs/stream.ts';

/** On a slow board the program that reads the log takes a while to start. */
const FIRST_WITHIN_MS = 5_000;
/** The past comes at once; a pause says that it is over. */
const PAUSE_MS = 300;

/** The newest lines of all services, oldest first. @throws Problem `not-supported` where nobody keeps them */
export async function lastLines(manager: ServiceManager | undefined, clock: Clock, most: number): Promise<LogLine[]> {
  if (!manager) throw nobodyKeepsLogs();
  const enough = new AbortController();
  const lines: LogLine[] = [];
  let cancel = clock.after(FIRST_WITHIN_MS, () => enough.abort());
  try {
    for await (const line of manager.logs({ last: most, signal: enough.signal })) {
      cancel();
      lines.push(line);
      if (lines.length >= most) break;
      cancel = clock.after(PAUSE_MS, () => enough.abort());
    }
  } catch (error) {
    if (!enough.signal.aborted) throw error;
  } finally {
    cancel();
    enough.abort();
  }
  return lines;
}
