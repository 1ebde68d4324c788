import { mkdir } from 'node:fs/promises';
import { fieldErrors, filters, type HistoryPoint, Problem, type PropertyAddress, parseTopic, readingSchema } from '@ledge/contract';
import type { Bus, Clock, Logger, Message } from '@ledge/kit';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Sample } from './batch.ts';
import { addressText, Catalogue, isSeen, restartEvidence, type Series } from './catalogue.ts';
import { diskFiles, type Files } from './files.ts';
import { bucketPoints, chooseResolution, pointGrid, type Resolution, rawPoint, type Span, Thinner } from './query.ts';
import { addBuckets, type Buckets, DAY_MS, GRIDS, HOUR_MS, MINUTE_MS, type Width } from './rollup.ts';
import type { RecorderSettings } from './settings.ts';
import { Store } from './store.ts';

/** Bad payloads are counted always and logged this often. */
const COMPLAIN_EVERY_MS = 3_600_000;
/** A device that invents names must not fill the memory. */
const MAX_SERIES = 5000;

export interface HistoryQuery extends PropertyAddress {
  fromMs: number;
  toMs: number;
  /** At most so many points, put together from finer ones. Without it each reading comes with its `seq`, oldest first. */
  points?: number | undefined;
  /** At most so many readings where `points` is left out. */
  limit: number;
}
export interface HistoryResult {
  /** What the points were made from. */
  resolution: Resolution;
  points: HistoryPoint[];
}
export interface HistoryExport {
  resolution: Resolution;
  /** In order of time, some at a time: all of it need not fit into the memory. */
  points: AsyncIterable<HistoryPoint[]>;
}
export interface SeriesInfo extends PropertyAddress {
  newest: string | undefined;
}

export interface RecorderOptions {
  /** Id of the box whose readings are kept. */
  edge: string;
  bus: Bus;
  /** The server's own directory; history is kept in `history/` below it. */
  dataDir: string;
  clock: Clock;
  log: Logger;
  metrics: Registry;
  settings: RecorderSettings;
  files?: Files;
}

/** Keeps the readings of the box: every one once, raw for days, rolled up for years. */
export interface Recorder {
  /** Resolves when what is on the card is known again and readings are taken. */
  start(): Promise<void>;
  /** Saves what is in memory. */
  stop(): Promise<void>;
  /** Saves what is in memory now; resolves when it is on the card, or could not be. */
  flush(): Promise<void>;
  /** Throws when readings have not been saved for long and no reason is known. */
  check(): void;
  apply(settings: RecorderSettings): void;
  /** Throws `not-found` for a property that never had a reading. */
  query(query: HistoryQuery): Promise<HistoryResult>;
  /** All that is kept of a span, in the finest resolution that reaches over it. Throws `not-found` as {@link Recorder.query}. */
  export(query: PropertyAddress & Span): HistoryExport;
  series(): SeriesInfo[];
}

export const createRecorder = (options: RecorderOptions): Recorder => new BusRecorder(options);

/** So much is read at once of what was rolled up: some thousand buckets. */
const EXPORT_STEP_MS: Record<Width, number> = { [MINUTE_MS]: DAY_MS, [HOUR_MS]: 60 * DAY_MS };
const WIDTH_OF: Record<Exclude<Resolution, 'raw'>, Width> = { minute: MINUTE_MS, hour: HOUR_MS };

class BusRecorder implements Recorder {
  readonly #options: RecorderOptions;
  readonly #catalogue = new Catalogue();
  readonly #counters: ReturnType<typeof createCounters>;
  readonly #store: Store;
  #settings: RecorderSettings;
  #unsubscribe: (() => Promise<void>) | undefined;
  #lastComplaintMs = Number.NEGATIVE_INFINITY;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#counters = createCounters(options.metrics, () => this.#store.bytes);
    const { clock, log, dataDir, files = diskFiles } = options;
    this.#store = new Store({
      directory: `${dataDir}/history`,
      files,
      clock,
      log,
      catalogue: this.#catalogue,
      settings: () => this.#settings,
      onDropped: (count) => this.#counters.dropped.inc(count),
    });
  }

  async start(): Promise<void> {
    const { bus, edge, dataDir } = this.#options;
    await mkdir(`${dataDir}/history`, { recursive: true });
    await this.#store.start();
    this.#unsubscribe = await bus.subscribe(filters.readings(edge), (message) => this.#receive(message), { qos: 1 });
  }

  async stop(): Promise<void> {
    await this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    await this.#store.stop();
  }

  flush(): Promise<void> {
    return this.#store.save();
  }

  check(): void {
    this.#store.check();
  }

  apply(settings: RecorderSettings): void {
    this.#settings = settings;
  }

  series(): SeriesInfo[] {
    const infos = new Map<string, SeriesInfo>();
    for (const { address, newestMs } of this.#catalogue.all) {
      infos.set(addressText(address), { ...address, newest: Number.isFinite(newestMs) ? new Date(newestMs).toISOString() : undefined });
    }
    return [...infos.values()];
  }

  async query({ fromMs, toMs, points, limit, ...address }: HistoryQuery): Promise<HistoryResult> {
    const series = this.#seriesOf(address);
    const span = { fromMs, toMs };
    const resolution = points === undefined ? 'raw' : chooseResolution(span, points, this.#options.clock.now(), this.#settings);
    if (resolution !== 'raw') {
      return { resolution, points: this.#rolledUp(series, span, points ?? limit, WIDTH_OF[resolution]) };
    }
    if (points === undefined) return { resolution, points: (await this.#firstReadings(series, span, limit)).map(rawPoint) };
    const thinner = new Thinner(points, pointGrid(span, points, 1));
    for await (const { samples } of this.#store.readings(series, span)) for (const sample of samples) thinner.add(sample);
    return { resolution, points: thinner.result() };
  }

  export({ fromMs, toMs, ...address }: PropertyAddress & Span): HistoryExport {
    const series = this.#seriesOf(address);
    const span = { fromMs, toMs };
    const { resolution, fromMs: firstMs } = this.#store.reach(series, span);
    if (resolution === 'raw') return { resolution, points: this.#allReadings(series, span) };
    return { resolution, points: this.#allBuckets(series, { fromMs: firstMs, toMs }, WIDTH_OF[resolution]) };
  }

  #seriesOf(address: PropertyAddress): readonly Series[] {
    const series = this.#catalogue.of(address);
    if (series.length === 0) throw new Problem('not-found', `${addressText(address)} has no history`);
    return series;
  }

  async *#allReadings(series: readonly Series[], span: Span): AsyncGenerator<HistoryPoint[]> {
    let waiting: Sample[] = [];
    for await (const { samples, restFromMs } of this.#store.readings(series, span)) {
      waiting = oldest([...waiting, ...samples], Number.POSITIVE_INFINITY);
      const ready = waiting.filter(({ atMs }) => atMs < restFromMs);
      waiting = waiting.slice(ready.length);
      if (ready.length > 0) yield ready.map(rawPoint);
    }
    if (waiting.length > 0) yield waiting.map(rawPoint);
  }

  async *#allBuckets(series: readonly Series[], { fromMs, toMs }: Span, width: Width): AsyncGenerator<HistoryPoint[]> {
    for (let startMs = GRIDS[width](fromMs); startMs <= toMs; startMs += EXPORT_STEP_MS[width]) {
      const endMs = Math.min(toMs, startMs + EXPORT_STEP_MS[width] - 1);
      const points = this.#rolledUp(series, { fromMs: startMs, toMs: endMs }, Number.POSITIVE_INFINITY, width);
      if (points.length > 0) yield points;
    }
  }

  async #firstReadings(series: readonly Series[], span: Span, limit: number): Promise<Sample[]> {
    let found: Sample[] = [];
    for await (const { samples, restFromMs } of this.#store.readings(series, span)) {
      found = oldest([...found, ...samples], limit);
      const last = found[limit - 1];
      if (last && last.atMs < restFromMs) break;
    }
    return found;
  }

  #rolledUp(series: readonly Series[], span: Span, points: number, width: Width): HistoryPoint[] {
    const buckets: Buckets = new Map();
    const toPoint = pointGrid(span, points, width);
    const firstMs = GRIDS[width](span.fromMs);
    for (const found of this.#store.buckets(series, span, width)) {
      addBuckets(
        buckets,
        toPoint,
        [...found].filter(([startMs]) => startMs >= firstMs && startMs <= span.toMs),
      );
    }
    return bucketPoints(buckets);
  }

  #receive(message: Message): void {
    const reading = parseReading(message);
    if ('fault' in reading) this.#refuse(message.topic, reading.fault);
    else this.#take(reading);
  }

  #take({ address, sample, replayed }: ParsedReading): void {
    const series = this.#catalogue.of(address).at(-1) ?? this.#newSeries(address);
    if (series && !isSeen(series, sample.seq)) {
      series.suspects = [];
      this.#keep(series, sample);
      return;
    }
    const restarted = series && !replayed ? restartEvidence(series, sample) : undefined;
    if (series && !restarted) this.#counters.duplicates.inc();
    const successor = restarted && this.#newSeries(address);
    if (!successor) return;
    this.#options.log.warn({ ...address, seq: sample.seq }, 'the numbers of this property began again');
    for (const each of restarted) this.#keep(successor, each);
  }

  #newSeries(address: PropertyAddress): Series | undefined {
    if (this.#catalogue.size < MAX_SERIES) return this.#catalogue.add(address);
    this.#refuse(addressText(address), `there are ${MAX_SERIES} series already`);
    return undefined;
  }

  #keep(series: Series, sample: Sample): void {
    if (this.#store.add(series, sample)) this.#counters.readings.inc();
  }

  #refuse(topic: string, reason: string): void {
    const { clock, log } = this.#options;
    this.#counters.refused.inc();
    if (clock.monotonic() - this.#lastComplaintMs < COMPLAIN_EVERY_MS) return;
    this.#lastComplaintMs = clock.monotonic();
    log.warn({ topic, reason }, 'a reading was not taken; further ones are only counted for an hour');
  }
}

function oldest(samples: Sample[], limit: number): Sample[] {
  return samples.sort((a, b) => a.atMs - b.atMs || a.seq - b.seq).slice(0, limit);
}

interface ParsedReading {
  address: PropertyAddress;
  sample: Sample;
  replayed: boolean;
}

function parseReading({ topic, payload }: Message): ParsedReading | { fault: string } {
  const parsed = parseTopic(topic);
  if (parsed.kind !== 'reading') return { fault: 'a topic such as <edge>/reading/<thing>/<node>/<property> is wanted' };
  const { thing, node, property } = parsed;
  const json = jsonOf(payload);
  const reading = readingSchema.safeParse(json);
  if (!reading.success) {
    const [first] = fieldErrors(reading.error, json);
    return { fault: first?.message ?? 'a reading is wanted' };
  }
  const { value, time, seq, replayed } = reading.data;
  return { address: { thing, node, property }, sample: { atMs: Date.parse(time), seq, value }, replayed };
}

function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}

function createCounters(metrics: Registry, bytes: () => number) {
  const registers = [metrics];
  const counter = (name: string, help: string) => new Counter({ name: `ledge_history_${name}_total`, help, registers });
  new Gauge({
    name: 'ledge_history_bytes',
    help: 'Bytes that history takes on the card',
    registers,
    collect() {
      this.set(bytes());
    },
  });
  return {
    readings: counter('readings', 'Readings taken'),
    duplicates: counter('duplicates', 'Readings that were there already'),
    refused: counter('refused', 'Messages that are no readings'),
    dropped: counter('dropped', 'Readings that found no room while the disk was full'),
  };
}
