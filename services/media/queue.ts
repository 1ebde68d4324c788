import type { MediaState, Track } from '@ledge/contract';

export type Repeat = MediaState['repeat'];

/** The tracks in line and which of them is on. Pure: plays nothing. */
export class Queue {
  readonly #tracks: Track[];
  #index: number | null;

  constructor(tracks: readonly Track[] = [], index: number | null = null) {
    this.#tracks = [...tracks];
    this.#index = index !== null && index < tracks.length ? index : null;
  }

  get tracks(): readonly Track[] {
    return this.#tracks;
  }

  get index(): number | null {
    return this.#index;
  }

  get current(): Track | undefined {
    return this.#index === null ? undefined : this.#tracks[this.#index];
  }

  get(id: string): Track | undefined {
    return this.#tracks.find((track) => track.id === id);
  }

  /** @returns false when there is no such place. */
  select(index: number): boolean {
    if (index < 0 || index >= this.#tracks.length) return false;
    this.#index = index;
    return true;
  }

  /** Puts a track at a place, at the end when none or one too large is given. */
  insert(track: Track, at: number = this.#tracks.length): void {
    const place = Math.min(at, this.#tracks.length);
    this.#tracks.splice(place, 0, track);
    if (this.#index !== null && place <= this.#index) this.#index += 1;
  }

  /** Moves a track; the one that is on stays on. @returns false when there is none of that id. */
  move(id: string, to: number): boolean {
    const on = this.current;
    const from = this.#tracks.findIndex((track) => track.id === id);
    const [track] = from < 0 ? [] : this.#tracks.splice(from, 1);
    if (!track) return false;
    this.#tracks.splice(Math.min(to, this.#tracks.length), 0, track);
    if (on) this.#index = this.#tracks.indexOf(on);
    return true;
  }

  /** When the track that is on goes, the one behind it takes its place. @returns false when there is none of that id. */
  remove(id: string): boolean {
    const from = this.#tracks.findIndex((track) => track.id === id);
    if (from < 0) return false;
    this.#tracks.splice(from, 1);
    if (this.#index === null) return true;
    if (from < this.#index) this.#index -= 1;
    if (this.#index >= this.#tracks.length) this.#index = this.#tracks.length > 0 ? this.#tracks.length - 1 : null;
    return true;
  }

  replace(tracks: readonly Track[]): void {
    this.#tracks.splice(0, this.#tracks.length, ...tracks);
    this.#index = null;
  }

  /** One on, as a person asks for it: round the end when all repeat. @returns false, and stays, at the end. */
  step(by: 1 | -1, repeat: Repeat): boolean {
    const count = this.#tracks.length;
    if (count === 0) return false;
    const next = this.#index === null ? (by === 1 ? 0 : count - 1) : this.#index + by;
    if (next >= 0 && next < count) this.#index = next;
    else if (repeat === 'all') this.#index = (next + count) % count;
    else return false;
    return true;
  }

  /** What comes when a track ended by itself. @returns false when that was all. */
  advance(repeat: Repeat): boolean {
    return (repeat === 'one' && this.#index !== null) || this.step(1, repeat);
  }
}
