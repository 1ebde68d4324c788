import type { PropertyAddress } from '@ledge/contract';
import type { Logger } from '@ledge/kit';
import type { Batch } from './batch.ts';
import type { Files, OpenFile } from './files.ts';
import { encodeFrame, type Frame, framesIn } from './frame.ts';

const HOUR_MS = 3_600_000;
/** A query holds one segment in memory. */
const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;

/** One file of the log. Times and series are known when it was written or read by this process, or remembered from before. */
export interface Segment {
  /** When it was begun; its file is `<startMs>.log`. */
  readonly startMs: number;
  bytes: number;
  known: { firstMs: number; lastMs: number; series: Set<number> } | undefined;
}

/** A place in the log: everything before it is in the frames of earlier segments, or of this one before `offset`. */
export interface LogPosition {
  startMs: number;
  offset: number;
}

export interface SegmentLogOptions {
  files: Files;
  directory: string;
  log: Logger;
}

/** The raw readings: frames appended to hourly files, each page written once, each frame safe on the card when `append` resolves. */
export class SegmentLog {
  readonly #options: SegmentLogOptions;
  #segments: Segment[] = [];
  #file: OpenFile | undefined;
  #lastStartMs = 0;
  /** Series whose names the open segment has. */
  #named = new Set<number>();

  constructor(options: SegmentLogOptions) {
    this.#options = options;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  get end(): LogPosition {
    const last = this.#segments.at(-1);
    return { startMs: last?.startMs ?? 0, offset: last?.bytes ?? 0 };
  }

  /** Lists what is there and cuts a frame that a power cut left unfinished. New segments come after `afterMs`. */
  async open(afterMs = 0): Promise<void> {
    const { files, directory, log } = this.#options;
    await files.makeDirectory(directory);
    this.#segments = (await files.list(directory))
      .flatMap(({ name, bytes }) => {
        const startMs = /^(\d+)\.log$/.exec(name)?.[1];
        return startMs === undefined ? [] : [{ startMs: Number(startMs), bytes, known: undefined }];
      })
      .sort((a, b) => a.startMs - b.startMs);
    const last = this.#segments.at(-1);
    this.#lastStartMs = Math.max(afterMs, last?.startMs ?? 0);
    if (!last) return;
    let goodBytes = 0;
    for (const frame of framesIn(await this.#read(last))) goodBytes = frame.offset + frame.bytes;
    if (goodBytes === last.bytes) return;
    log.warn({ segment: last.startMs, cutBytes: last.bytes - goodBytes }, 'cut an unfinished frame of history');
    await files.truncate(this.#path(last), goodBytes);
    last.bytes = goodBytes;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /**
   * Writes a frame and calls `onSafe` in the very turn in which the log has it, so that nobody sees its readings twice or not at all.
   * After a failure the log is as before, and the batch may be tried again.
   */
  async append(batch: Batch, names: ReadonlyMap<number, PropertyAddress>, nowMs: number, onSafe: () => void): Promise<void> {
    const { segment, file } = await this.#openSegment(nowMs);
    const unnamed = [...batch.columns.keys()].filter((id) => !this.#named.has(id));
    const frame = encodeFrame(
      batch,
      new Map(
        unnamed.flatMap((id) => {
          const name = names.get(id);
          return name ? [[id, name]] : [];
        }),
      ),
    );
    await file.write(frame, segment.bytes);
    await file.sync();
    segment.bytes += frame.length;
    for (const id of unnamed) this.#named.add(id);
    noteFrame(segment, batch, batch.columns.keys());
    onSafe();
  }

  /** Frames of a segment between two offsets. A segment that retention took away meanwhile has none. */
  async frames(segment: Segment, from = 0, to = segment.bytes): Promise<Iterable<Frame>> {
    const data = await this.#read(segment);
    return framesIn(data.subarray(0, to), from);
  }

  /** Removes the oldest segments while `isTooOld` says so; never the open one. */
  async removeOldest(isTooOld: (oldest: Segment) => boolean): Promise<void> {
    for (;;) {
      const [oldest] = this.#segments;
      if (!oldest || (this.#file && this.#segments.length === 1) || !isTooOld(oldest)) return;
      await this.#options.files.remove(this.#path(oldest));
      this.#segments.shift();
    }
  }

  /** Closes the open segment when its hour is over or it is large enough. */
  async closeDue(nowMs: number): Promise<void> {
    const last = this.#segments.at(-1);
    if (!last || Math.floor(nowMs / HOUR_MS) !== Math.floor(last.startMs / HOUR_MS) || last.bytes >= MAX_SEGMENT_BYTES) await this.close();
  }

  async #openSegment(nowMs: number): Promise<{ segment: Segment; file: OpenFile }> {
    await this.closeDue(nowMs);
    const last = this.#segments.at(-1);
    if (this.#file && last) return { segment: last, file: this.#file };
    // names only grow, also when the clock was set back, because their order is the order of writing
    const segment: Segment = { startMs: Math.max(nowMs, this.#lastStartMs + 1), bytes: 0, known: undefined };
    const file = await this.#options.files.create(this.#path(segment));
    this.#file = file;
    this.#lastStartMs = segment.startMs;
    this.#named = new Set();
    this.#segments.push(segment);
    return { segment, file };
  }

  #read(segment: Segment): Promise<Buffer> {
    return this.#options.files.read(this.#path(segment));
  }

  #path(segment: Segment): string {
    return `${this.#options.directory}/${segment.startMs}.log`;
  }
}

/** Remembers what a frame adds to what is known of its segment. */
export function noteFrame(segment: Segment, frame: { firstMs: number; lastMs: number }, series: Iterable<number>): void {
  const known = segment.known ?? { firstMs: frame.firstMs, lastMs: frame.lastMs, series: new Set() };
  known.firstMs = Math.min(known.firstMs, frame.firstMs);
  known.lastMs = Math.max(known.lastMs, frame.lastMs);
  for (const id of series) known.series.add(id);
  segment.known = known;
}
