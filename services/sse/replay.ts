interface Kept {
  seq: number;
  topic: string;
  frame: Buffer;
}
export interface ReplayLimits {
  messages: number;
  bytes: number;
}

const ID = /^([0-9a-f]{1,16})-(\d{1,15})$/;
/** Forgotten entries before the array is cut. */
const CUT_AT = 1024;

/** The last messages, numbered, so that a reader who comes back gets what it missed. Bounded in messages and in bytes. */
export class Replay {
  readonly #instance: string;
  #limits: ReplayLimits;
  #kept: Kept[] = [];
  #first = 0;
  #bytes = 0;
  #seq = 0;
  #forgottenSeq = 0;

  /** `instance` names this process: numbers of another one mean nothing here. Hexadecimal, at most 16 digits. */
  constructor(instance: string, limits: ReplayLimits) {
    this.#instance = instance;
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }
  get messages(): number {
    return this.#kept.length - this.#first;
  }
  /** Id of the last number that was given. */
  get lastId(): string {
    return `${this.#instance}-${this.#seq}`;
  }

  set limits(limits: ReplayLimits) {
    this.#limits = limits;
    this.#trim();
  }

  /** Numbers a message, keeps the frame that `build` makes with its id, and returns it. */
  add(topic: string, build: (id: string) => Buffer): Buffer {
    this.#seq += 1;
    const frame = build(this.lastId);
    this.#kept.push({ seq: this.#seq, topic, frame });
    this.#bytes += frame.length;
    this.#trim();
    return frame;
  }

  /** Uses up a number, so that a moment when something may have been missed lies between two numbers. Returns it. */
  mark(): number {
    this.#seq += 1;
    return this.#seq;
  }

  /** Number in an event id of this process, or undefined for any other text. */
  seqOf(id: string): number | undefined {
    const [, instance, digits] = ID.exec(id) ?? [];
    const seq = Number(digits);
    return instance === this.#instance && seq <= this.#seq ? seq : undefined;
  }

  /** Is everything after `seq` still here? */
  reachesBack(seq: number): boolean {
    return seq >= this.#forgottenSeq;
  }

  /** What came after `seq`, oldest first. */
  *after(seq: number): Generator<{ topic: string; frame: Buffer }> {
    for (let i = this.#first; i < this.#kept.length; i++) {
      const kept = this.#kept[i];
      if (kept && kept.seq > seq) yield kept;
    }
  }

  #trim(): void {
    while (this.messages > this.#limits.messages || this.#bytes > this.#limits.bytes) {
      const oldest = this.#kept[this.#first];
      if (!oldest) break;
      this.#bytes -= oldest.frame.length;
      this.#forgottenSeq = oldest.seq;
      this.#first += 1;
    }
    if (this.#first > CUT_AT && this.#first * 2 > this.#kept.length) {
      this.#kept = this.#kept.slice(this.#first);
      this.#first = 0;
    }
  }
}
