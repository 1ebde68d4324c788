import { createContext, type VNode } from 'preact';
import { useContext, useEffect, useRef } from 'preact/hooks';
import type { Api } from '../client/api.ts';
import { SPARK_MINUTES, Spark } from '../client/spark.ts';
import type { PropertyModel } from '../client/things.ts';
import { Turns } from '../client/turns.ts';
import { html } from '../components/html.ts';

const ASKED_AT_A_TIME = 4;
const DRAWN_EVERY_MS = 5000;
/** A line that was out of sight for longer has a hole, and is asked again. */
const FRESH_MS = 3 * 60_000;
const HOUR_MS = 3_600_000;
const WIDTH = 120;
const HEIGHT = 32;

interface Kept {
  spark: Spark;
  filledMs: number;
  /** Of the value that was last put in. */
  timeMs: number | undefined;
}

/**
 * Draws the spark lines that are in sight: history is asked once a tile is seen, and every few seconds the values of the moment
 * go on it. Lines are attributes that this sets itself; no component is drawn again for them.
 */
export class SparkBoard {
  readonly #api: Api;
  readonly #turns = new Turns(ASKED_AT_A_TIME);
  readonly #kept = new WeakMap<PropertyModel, Kept>();
  readonly #watched = new Map<Element, PropertyModel>();
  readonly #seen = new Set<Element>();
  readonly #observer = new IntersectionObserver((entries) => this.#see(entries), { rootMargin: '80px' });
  readonly #timer = setInterval(() => this.#drawAll(), DRAWN_EVERY_MS);

  constructor(api: Api) {
    this.#api = api;
  }

  stop(): void {
    this.#observer.disconnect();
    clearInterval(this.#timer);
  }

  /** From now on the line of this property is drawn in the element, until the returned function is called. */
  watch(element: Element, property: PropertyModel): () => void {
    this.#watched.set(element, property);
    this.#observer.observe(element);
    return () => {
      this.#observer.unobserve(element);
      this.#watched.delete(element);
      this.#seen.delete(element);
    };
  }

  #see(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) this.#seen.delete(target);
      else if (this.#watched.has(target)) {
        this.#seen.add(target);
        void this.#fill(target);
      }
    }
  }

  async #fill(element: Element): Promise<void> {
    const property = this.#watched.get(element);
    if (!property) return;
    const nowMs = this.#api.boxNow();
    const known = this.#kept.get(property);
    if (known && nowMs - known.filledMs < FRESH_MS) return this.#draw(element, nowMs);
    await this.#turns.take(async () => {
      if (!this.#seen.has(element)) return;
      const { node, property: id } = property.info.peek();
      const kept: Kept = { spark: new Spark(), filledMs: nowMs, timeMs: undefined };
      const query = { from: new Date(nowMs - HOUR_MS).toISOString(), points: SPARK_MINUTES };
      try {
        kept.spark.fill((await this.#api.server.history({ params: { thing: property.thing, node, property: id }, query })).points);
      } catch {
        // what is not recorded grows its line from now on
      }
      this.#kept.set(property, kept);
    });
    this.#draw(element, this.#api.boxNow());
  }

  #drawAll(): void {
    if (document.hidden) return;
    const nowMs = this.#api.boxNow();
    for (const element of this.#seen) this.#draw(element, nowMs);
  }

  #draw(element: Element, nowMs: number): void {
    const property = this.#watched.get(element);
    const kept = property && this.#kept.get(property);
    if (!kept) return;
    const timeMs = property.timeMs.peek();
    if (timeMs !== undefined && timeMs !== kept.timeMs) {
      kept.timeMs = timeMs;
      kept.spark.add(Number(property.payload.peek()), timeMs);
    }
    kept.filledMs = nowMs;
    const line = kept.spark.line(nowMs, WIDTH, HEIGHT);
    const [area, stroke] = element.children;
    const [, start, end] = /^M(\S+) .* (?:\S+L)?(\S+) \S+$/.exec(line.replaceAll('L', ' ')) ?? [];
    if (stroke?.getAttribute('d') === line) return;
    stroke?.setAttribute('d', line);
    area?.setAttribute('d', line && `${line}L${end} ${HEIGHT + 8}L${start} ${HEIGHT + 8}Z`);
  }
}

const fade = (id: string, most: number): VNode => html`
  <linearGradient id=${id} gradientUnits="userSpaceOnUse" x1="0" x2=${WIDTH}>
    <stop offset="0.1" stop-opacity="0" /><stop offset="0.55" stop-opacity=${most} />
  </linearGradient>
`;

/** The colours of all lines, once on a page: they come out of nothing, because something is written over their beginning. */
export const SparkColours = (): VNode => html`
  <svg class="spark-fade" width="0" height="0" aria-hidden="true"><defs>${fade('spark-line', 0.6)}${fade('spark-area', 0.1)}</defs></svg>
`;

export const SparkBoardContext = createContext<SparkBoard | undefined>(undefined);

/** The last hour of a number, behind it. Whoever cannot see it has the chart's words. */
export function SparkLine({ property }: { property: PropertyModel }): VNode {
  const board = useContext(SparkBoardContext);
  const place = useRef<SVGSVGElement>(null);
  useEffect(() => (board && place.current ? board.watch(place.current, property) : undefined), [board, property]);
  return html`
    <svg class="spark" ref=${place} viewBox=${`0 -2 ${WIDTH} ${HEIGHT + 10}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="area" /><path class="line" />
    </svg>
  `;
}
