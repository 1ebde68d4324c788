import type { PropertyAddress } from '@ledge/contract';
import type { Sample } from './batch.ts';
import { SeqSet } from './seq-set.ts';

/** So many readings in a row, each newer than all before but with used numbers, say that their publisher counts from the start again. */
const RESTART_EVIDENCE = 3;

export const addressText = ({ thing, node, property }: PropertyAddress) => `${thing}/${node}/${property}`;

/** One count of sequence numbers of one property. A property whose publisher lost its count goes on in a new series. */
export interface Series {
  readonly id: number;
  readonly address: PropertyAddress;
  /** Numbers of readings that are safe on the card, and of those still in memory. */
  seen: SeqSet;
  readonly unsaved: Set<number>;
  newestMs: number;
  /** Readings that would be duplicates if they were not newer than everything. */
  suspects: Sample[];
}

/** All series by id and by property. */
export class Catalogue {
  readonly #byId = new Map<number, Series>();
  readonly #byAddress = new Map<string, Series[]>();
  readonly #names = new Map<number, PropertyAddress>();

  get size(): number {
    return this.#byId.size;
  }

  get names(): ReadonlyMap<number, PropertyAddress> {
    return this.#names;
  }

  get all(): Iterable<Series> {
    return this.#byId.values();
  }

  byId(id: number): Series | undefined {
    return this.#byId.get(id);
  }

  /** Oldest first; the last one is counted in now. */
  of(address: PropertyAddress): readonly Series[] {
    return this.#byAddress.get(addressText(address)) ?? [];
  }

  add(address: PropertyAddress, id = Math.max(0, ...this.#byId.keys()) + 1): Series {
    const series: Series = { id, address, seen: new SeqSet(), unsaved: new Set(), newestMs: Number.NEGATIVE_INFINITY, suspects: [] };
    this.#byId.set(id, series);
    this.#names.set(id, address);
    const key = addressText(address);
    this.#byAddress.set(key, [...(this.#byAddress.get(key) ?? []), series]);
    return series;
  }
}

export const isSeen = (series: Series, seq: number) => series.seen.has(seq) || series.unsaved.has(seq);

/**
 * Is this duplicate one of several that show a counter which began again? Then they are returned, to be kept in a new series.
 * What is said again keeps its old time; a counter that began again has new times.
 */
export function restartEvidence(series: Series, sample: Sample): Sample[] | undefined {
  if (sample.atMs <= series.newestMs) return undefined;
  const last = series.suspects.at(-1);
  const goesOn = last !== undefined && sample.seq === last.seq + 1 && sample.atMs > last.atMs;
  series.suspects = goesOn ? [...series.suspects, sample] : [sample];
  return series.suspects.length < RESTART_EVIDENCE ? undefined : series.suspects.splice(0);
}
