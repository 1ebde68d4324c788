/** So many holes are remembered for one series; beyond them the oldest is taken as filled. */
export const MAX_RANGES = 1024;

/** From and to, both included. */
export type SeqRange = [from: number, to: number];

/** Sequence numbers as ranges: a series without holes is one range, however long it is. */
export class SeqSet {
  readonly #ranges: SeqRange[];

  constructor(ranges: readonly SeqRange[] = []) {
    this.#ranges = ranges.map(([from, to]) => [from, to]);
  }

  get ranges(): readonly SeqRange[] {
    return this.#ranges;
  }

  has(seq: number): boolean {
    const range = this.#ranges[this.#lastFrom(seq)];
    return range !== undefined && seq <= range[1];
  }

  add(seq: number): void {
    const at = this.#lastFrom(seq);
    const before = this.#ranges[at];
    const after = this.#ranges[at + 1];
    if (before && seq <= before[1]) return;
    const joinsBefore = before !== undefined && before[1] === seq - 1;
    const joinsAfter = after !== undefined && after[0] === seq + 1;
    if (joinsBefore && joinsAfter) {
      before[1] = after[1];
      this.#ranges.splice(at + 1, 1);
    } else if (joinsBefore) before[1] = seq;
    else if (joinsAfter) after[0] = seq;
    else {
      this.#ranges.splice(at + 1, 0, [seq, seq]);
      this.#forgetOldestHole();
    }
  }

  /** Index of the last range that begins at or before `seq`, or -1. */
  #lastFrom(seq: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.[0] ?? Number.POSITIVE_INFINITY) <= seq) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #forgetOldestHole(): void {
    const [first, second] = this.#ranges;
    if (this.#ranges.length <= MAX_RANGES || !first || !second) return;
    this.#ranges.splice(0, 2, [first[0], second[1]]);
  }
}
