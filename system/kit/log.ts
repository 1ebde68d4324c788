import pino, { type DestinationStream, type Logger } from 'pino';
import type { Environment } from './paths.ts';

/** syslog priorities (RFC 5424, 6.2.1) that journald reads from a `<n>` at the beginning of a line. */
const PRIORITY_OF_LEVEL: Record<number, number> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };

/** JSON lines on stdout; with journald behind it, each with its priority. */
export function createLogger(
  service: string,
  environment: Environment,
  destination: { write(text: string): unknown } = process.stdout,
): Logger {
  const journald = environment.JOURNAL_STREAM !== undefined;
  const stream: DestinationStream & { lastLevel?: number } = {
    write(line: string) {
      destination.write(journald ? `<${PRIORITY_OF_LEVEL[this.lastLevel ?? 30] ?? 6}>${line}` : line);
    },
  };
  // pino sets lastLevel on a destination that says it wants metadata
  Object.assign(stream, { [Symbol.for('pino.metadata')]: true });
  return pino({ level: environment.EDGE_LOG_LEVEL ?? 'info', base: { service } }, stream);
}
