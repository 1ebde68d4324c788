import { Problem, type Radio, type Track } from '@ledge/contract';
import type { Controls } from './homie-thing.ts';
import type { Library } from './library.ts';
import type { Playlists, Radios } from './memory.ts';
import type { Playback } from './playback.ts';
import { isAddress, streamAddress } from './source.ts';

/** Library, playlists, radios and playback together: what people and programs ask for by name. */
export class Jukebox implements Controls {
  readonly library: Library;
  readonly playlists: Playlists;
  readonly radios: Radios;
  readonly playback: Playback;
  readonly #newId: () => string;

  constructor(
    { library, playlists, radios }: { library: Library; playlists: Playlists; radios: Radios },
    playback: Playback,
    newId: () => string,
  ) {
    this.library = library;
    this.playlists = playlists;
    this.radios = radios;
    this.playback = playback;
    this.#newId = newId;
  }

  /**
   * A track for the queue, of a library path or an http(s) address.
   * @throws Problem `invalid-value`, `not-found`
   */
  async track(source: string, title?: string): Promise<Track> {
    const id = this.#newId();
    if (isAddress(source)) {
      const address = streamAddress(source);
      return { id, source: address, title: title || new URL(address).host, durationS: null };
    }
    const { item } = await this.library.find(source);
    const { bytes: _bytes, path, ...tags } = item;
    return { id, source: path, ...tags, ...(title ? { title } : {}) };
  }

  /** The same tracks with ids of their own, as one list may be loaded twice. */
  fresh(tracks: readonly Track[]): Track[] {
    return tracks.map((track) => ({ ...track, id: this.#newId() }));
  }

  /** Stores a station, or changes the one of that id. @throws Problem `invalid-value`, `storage-failed` */
  saveRadio({ id, name, url }: Radio): Radio {
    const radio = { id, name, url: streamAddress(url, 'url') };
    this.radios.put(id, radio);
    return radio;
  }

  /** Plays a stored station at once. One that plays gives its place to it; what else is in the queue stays. @throws Problem `not-found` */
  async playRadio(id: string): Promise<void> {
    const { name, url } = this.radios.get(id);
    const before = this.playback.state().track;
    const wasRadio = this.radios.list().some((radio) => radio.url === before?.source && radio.url !== url);
    await this.playback.playNow(await this.track(url, name));
    if (before && wasRadio) await this.playback.dequeue(before.id);
  }

  play(): Promise<void> {
    return this.playback.play();
  }
  pause(): Promise<void> {
    return this.playback.pause();
  }
  stop(): Promise<void> {
    return this.playback.halt();
  }
  next(): Promise<void> {
    return this.playback.next();
  }
  previous(): Promise<void> {
    return this.playback.previous();
  }
  seek(positionS: number): Promise<void> {
    return this.playback.seek(positionS);
  }
  setVolume(volume: number): Promise<void> {
    return this.playback.setVolume(volume);
  }
  setMuted(muted: boolean): Promise<void> {
    return this.playback.setMuted(muted);
  }
  setRepeat(repeat: 'off' | 'one' | 'all'): void {
    this.playback.setRepeat(repeat);
  }
  async playSource(source: string): Promise<void> {
    if (source === '') throw new Problem('invalid-value', 'source is empty; a library path or an http(s) address is wanted');
    await this.playback.playNow(await this.track(source));
  }
}
