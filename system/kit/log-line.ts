import type { LogLine } from '@ledge/contract';

/**
 * Reads one line of a service's output: pino's JSON, or whatever else a program prints.
 * @param otherwise what holds for a line that does not say it itself: pino's number of the level, milliseconds since 1970
 */
export function parseLogLine(service: string, text: string, otherwise: { level: number; timeMs: number }): LogLine {
  try {
    const { time, level, msg, service: _, ...fields } = JSON.parse(text) as Record<string, unknown>;
    if (typeof time === 'number' && typeof level === 'number') {
      return { time: new Date(time).toISOString(), service, level, message: String(msg ?? ''), fields };
    }
  } catch {
    // not JSON: a native library or node itself speaks
  }
  return { time: new Date(otherwise.timeMs).toISOString(), service, level: otherwise.level, message: text, fields: {} };
}
