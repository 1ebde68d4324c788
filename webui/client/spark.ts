import type { HistoryPoint } from '@ledge/contract';

const MINUTE_MS = 60_000;
/** What a spark line shows: the last hour, a point each minute; less while less is known. */
export const SPARK_MINUTES = 60;

/** The last hour of a number in at most sixty points, and the line through them. */
export class Spark {
  readonly #points = new Map<number, { sum: number; count: number }>();

  /** What the box recorded. */
  fill(points: readonly HistoryPoint[]): void {
    for (const { time, mean, value } of points) {
      const number = mean ?? value;
      if (typeof number === 'number') this.#points.set(Math.floor(Date.parse(time) / MINUTE_MS), { sum: number, count: 1 });
    }
  }

  /** One more value as it is now. */
  add(value: number, nowMs: number): void {
    if (!Number.isFinite(value)) return;
    const minute = Math.floor(nowMs / MINUTE_MS);
    const { sum, count } = this.#points.get(minute) ?? { sum: 0, count: 0 };
    this.#points.set(minute, { sum: sum + value, count: count + 1 });
  }

  /** The line in a field of `width` by `height`, newest at the right; empty while there are fewer than two points. */
  line(nowMs: number, width: number, height: number): string {
    const last = Math.floor(nowMs / MINUTE_MS);
    for (const minute of this.#points.keys()) if (minute <= last - SPARK_MINUTES) this.#points.delete(minute);
    const first = Math.min(last - 1, ...this.#points.keys());
    if (this.#points.size < 2) return '';
    const points = [...this.#points].sort(([a], [b]) => a - b).map(([minute, { sum, count }]) => ({ minute, value: sum / count }));
    // a value holds until there is another
    const newest = points.at(-1);
    if (newest && newest.minute < last) points.push({ minute: last, value: newest.value });
    const values = points.map(({ value }) => value);
    const low = Math.min(...values);
    const high = Math.max(...values);
    // what hardly moves is a calm line, not a mountain range of noise
    const span = Math.max(high - low, Math.abs(high) * 0.01, Number.MIN_VALUE);
    const middle = (low + high) / 2;
    const place = ({ minute, value }: { minute: number; value: number }) => {
      const x = ((minute - first) / (last - first)) * width;
      const y = (0.5 - (value - middle) / span) * height;
      return `${x.toFixed(1)} ${y.toFixed(1)}`;
    };
    return `M${points.map(place).join('L')}`;
  }
}
