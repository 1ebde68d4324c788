import { filters, parseTopic, topics } from '@ledge/contract/topics.ts';
import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Api } from './api.ts';
import { type Arrived, FrameBatch } from './frame-batch.ts';
import { payloadOf } from './homie.ts';
import { ApiProblem } from './problem.ts';
import { type ServiceModel, Services } from './services.ts';
import type { Connection, StreamListener, StreamPorts } from './stream.ts';
import { type PropertyModel, Things } from './things.ts';

export interface LivePorts extends Pick<StreamPorts, 'after'> {
  /** Opens the way that messages of these filters come. */
  openStream: (filters: readonly string[], listener: StreamListener) => { start(): void; stop(): void };
  /** Calls back before the next frame is drawn. */
  onFrame: (task: () => void) => () => void;
  onSessionEnd: () => void;
}

/** After a broker restart things say themselves again one by one; only who is silent for so long is gone. */
const FORGET_AFTER_MS = 10_000;
const REFRESH_AFTER_MS = 400;
const SHOW_ACKNOWLEDGED_MS = 2500;
const SHOW_REJECTED_MS = 12_000;
const ANSWER_WITHIN_MS = 5000;
const STREAM_BEHIND_MS = 1000;
const RESTART_WITHIN_MS = 30_000;

/** Events after which things or services must be asked for what the stream does not say. */
const THING_EVENTS = /^(thing-|sensor-)/;

/** What somebody who cannot see the page must be told; the page finds the words. */
export type Said =
  | { kind: 'lost' | 'back' }
  | { kind: 'set'; property: PropertyModel; payload: string }
  | { kind: 'not-set'; property: PropertyModel; error: unknown }
  | { kind: 'restarts'; service: string }
  | { kind: 'not-restarted'; service: string; error: unknown };

/** Everything that the dashboard shows, kept right by one event stream. */
export class Live {
  readonly things = new Things();
  readonly services = new Services();
  readonly connection: Signal<Connection> = signal('connecting');
  /** Counts up whenever the connection is there again: what was asked over HTTP is old then. */
  readonly epoch: Signal<number> = signal(0);
  /** True once the first picture is whole: before, an empty list means nothing. */
  readonly complete: Signal<boolean> = signal(false);
  /** True once it is known which rooms things are in, or that it cannot be known now. */
  readonly placed: Signal<boolean> = signal(false);
  readonly announcement: Signal<Said | undefined> = signal(undefined);
  readonly #edge: string;
  readonly #api: Api;
  readonly #ports: LivePorts;
  readonly #stream: { start(): void; stop(): void };
  readonly #eventListeners = new Set<(kind: string, payload: string) => void>();
  readonly #frames: FrameBatch;
  readonly #timers = new Map<string, () => void>();

  /** @param heard what is listened to; without services or events, those are asked for only when the connection is new */
  constructor(
    edge: string,
    api: Api,
    ports: LivePorts,
    heard: readonly string[] = [filters.things(edge), filters.services(edge), filters.events(edge)],
  ) {
    this.#edge = edge;
    this.#api = api;
    this.#ports = ports;
    this.#frames = new FrameBatch(ports.onFrame, (messages) => batch(() => this.#apply(messages)));
    this.#stream = ports.openStream(heard, {
      onMessage: (message) => this.#frames.add(message),
      onConnection: (connection) => this.#connectionIs(connection),
      onSnapshot: () => this.#snapshotBegins(),
      onLive: (filter) => this.#filterIsLive(filter),
      onSessionEnd: ports.onSessionEnd,
    });
  }

  start(): void {
    this.#stream.start();
  }

  stop(): void {
    this.#stream.stop();
    this.#frames.stop();
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** Tells of happenings (`<edge>/event/<kind>`) as they come, until the returned function is called. */
  onEvent(listener: (kind: string, payload: string) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /** Asks again for what the stream does not say of services: memory, restarts. */
  refreshServices(): void {
    this.#refreshServices();
  }

  /** Sets a property. The new value comes over the stream, not with the answer. */
  async command(property: PropertyModel, value: string | number | boolean): Promise<void> {
    const { command } = property;
    const payload = payloadOf(value);
    command.value = { state: 'pending', payload };
    const mine = command.peek();
    const settle = (next: PropertyModel['command']['value'], showMs: number, said: Said) => {
      if (command.peek() !== mine) return; // another command has taken its place
      command.value = next;
      this.announcement.value = said;
      this.#ports.after(showMs, () => {
        if (command.peek() === next) command.value = undefined;
      });
    };
    try {
      await this.#set(property, value);
      settle({ state: 'acknowledged', payload }, SHOW_ACKNOWLEDGED_MS, { kind: 'set', property, payload });
    } catch (error) {
      settle({ state: 'rejected', payload, error }, SHOW_REJECTED_MS, { kind: 'not-set', property, error });
    }
  }

  /** Things of the device service answer over HTTP. A thing that another service says itself is asked as Homie does, and answers by saying its value. */
  async #set({ info, thing, timeMs }: PropertyModel, value: string | number | boolean): Promise<void> {
    const { node, property, retained, name } = info.peek();
    // a thing may be newer than the last answer
    if (!this.things.isOfDevice(thing)) await this.#askThings().catch(() => undefined);
    const answered = retained ? this.#changeOf(timeMs) : Promise.resolve(true);
    if (this.things.isOfDevice(thing)) {
      await this.#api.device.command({ params: { thing, node, property }, body: { value } });
      // the stream may be a moment behind: without waiting the control would jump back and forth
      await Promise.race([answered, new Promise<void>((resolve) => this.#ports.after(STREAM_BEHIND_MS, resolve))]);
      return;
    }
    await this.#api.sse.publish({ body: { topic: topics.set(this.#edge, { thing, node, property }), value: payloadOf(value) } });
    if (!(await answered)) throw new ApiProblem('command-timed-out', `${name} did not answer within ${ANSWER_WITHIN_MS / 1000} s.`);
  }

  /** True once the signal changes, false when it does not in time. */
  #changeOf(changing: ReadonlySignal<unknown>): Promise<boolean> {
    const before = changing.peek();
    return new Promise((resolve) => {
      const end = (changed: boolean) => {
        cancel();
        queueMicrotask(() => stop());
        resolve(changed);
      };
      const cancel = this.#ports.after(ANSWER_WITHIN_MS, () => end(false));
      const stop = changing.subscribe((now) => {
        if (now !== before) end(true);
      });
    });
  }

  /** Rejects when the box refuses. */
  async restart({ name }: ServiceModel): Promise<void> {
    this.services.setRestarting(name, true);
    this.#later(`restart ${name}`, RESTART_WITHIN_MS, () => this.services.setRestarting(name, false));
    try {
      await this.#api.server.restart({ params: { name } });
      this.announcement.value = { kind: 'restarts', service: name };
    } catch (error) {
      this.services.setRestarting(name, false);
      this.announcement.value = { kind: 'not-restarted', service: name, error };
      throw error;
    }
  }

  #apply(messages: readonly Arrived[]): void {
    const atMs = this.#api.boxNow();
    for (const { topic, payload, retained } of messages) {
      const parsed = parseTopic(topic);
      if (parsed.kind === 'event') {
        if (THING_EVENTS.test(parsed.event)) this.#refreshThings();
        for (const listener of this.#eventListeners) listener(parsed.event, payload);
      } else if (parsed.kind === 'service') {
        this.services.take(parsed.name, payload);
        this.#refreshServices();
      } else {
        this.things.take(topic, payload, retained, atMs);
        if (parsed.kind === 'description' || parsed.kind === 'other') this.#refreshThings();
      }
    }
  }

  #connectionIs(connection: Connection): void {
    const before = this.connection.peek();
    this.connection.value = connection;
    if (connection === 'offline' && before !== 'offline') this.announcement.value = { kind: 'lost' };
    if (connection === 'live' && (before === 'offline' || before === 'bus-away')) {
      this.announcement.value = { kind: 'back' };
      if (before === 'bus-away') this.#snapshotBegins();
    }
    if (connection === 'live') {
      if (before !== 'live') this.epoch.value += 1;
      this.#refreshThings();
      this.#refreshServices();
    }
  }

  #snapshotBegins(): void {
    this.#timers.get('forget')?.();
    this.#frames.flush();
    this.things.beginSnapshot();
  }

  #filterIsLive(filter: string): void {
    if (filter !== filters.things(this.#edge)) return;
    this.#frames.flush();
    this.complete.value = true;
    this.#refreshThings();
    this.#later('forget', FORGET_AFTER_MS, () => this.things.dropUnsaid());
  }

  #refreshThings(): void {
    this.#refresh('things', () => this.#askThings());
  }

  async #askThings(): Promise<void> {
    try {
      const views = await this.#api.device.things();
      this.#frames.flush();
      batch(() => this.things.merge(views));
    } finally {
      this.placed.value = true;
    }
  }

  #refreshServices(): void {
    this.#refresh('services', async () => this.services.merge(await this.#api.server.services()));
  }

  /** Soon, and once for many reasons at a time. What cannot be had now is asked again at the next reason. */
  #refresh(name: string, ask: () => Promise<void>): void {
    if (!this.#timers.has(name)) this.#later(name, REFRESH_AFTER_MS, () => void ask().catch(() => undefined));
  }

  #later(name: string, ms: number, task: () => void): void {
    this.#timers.get(name)?.();
    const cancel = this.#ports.after(ms, () => {
      this.#timers.delete(name);
      task();
    });
    this.#timers.set(name, cancel);
  }
}
