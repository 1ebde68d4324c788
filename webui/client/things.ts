import type { ThingView } from '@ledge/contract';
import { type DeviceState, effectiveState } from '@ledge/contract/lifecycle.ts';
import { parseTopic } from '@ledge/contract/topics.ts';
import { type Signal, signal } from '@preact/signals';
import { learnRhythm } from './age.ts';
import { type PropertyInfo, parseDescription, readable, stateOf } from './homie.ts';

/** A command on its way: what was asked, and how it ended. */
export type Command =
  | { state: 'pending'; payload: string }
  | { state: 'acknowledged'; payload: string }
  | { state: 'rejected'; payload: string; error: unknown };

/** One property; each of its signals changes alone, so that a new value redraws one line of text and nothing else. */
export interface PropertyModel {
  readonly thing: string;
  readonly key: string;
  readonly info: Signal<PropertyInfo>;
  readonly payload: Signal<string | undefined>;
  /** When it was measured or came, in ms of the box's clock; undefined while unknown. */
  readonly timeMs: Signal<number | undefined>;
  readonly rhythmMs: Signal<number | undefined>;
  readonly fault: Signal<string | undefined>;
  readonly command: Signal<Command | undefined>;
}
export interface ThingModel {
  readonly id: string;
  readonly name: Signal<string>;
  readonly room: Signal<string>;
  /** What counts for people: its own word, or its root's while that is away. */
  readonly state: Signal<DeviceState>;
  /** Whatever is wrong with the thing as a whole, for people. */
  readonly faults: Signal<readonly string[]>;
  readonly properties: Signal<readonly PropertyModel[]>;
}

interface Known extends ThingModel {
  /** What it says of itself. */
  own: DeviceState | undefined;
  root: string | undefined;
  described: boolean;
  /** Said again since the last snapshot began. */
  said: boolean;
  readonly all: Map<string, PropertyModel>;
  readonly alerts: Map<string, string>;
  /** What the device service last answered: faults of the whole thing (under its own id) and of properties. */
  readonly told: Map<string, string>;
}

const newProperty = (thing: string, node: string, property: string): PropertyModel => ({
  thing,
  key: `${node}/${property}`,
  info: signal({ node, property, name: readable(property), datatype: 'string', unit: '', format: '', settable: false, retained: true }),
  payload: signal(undefined),
  timeMs: signal(undefined),
  rhythmMs: signal(undefined),
  fault: signal(undefined),
  command: signal(undefined),
});

const newThing = (id: string): Known => ({
  id,
  name: signal(readable(id)),
  room: signal(''),
  state: signal<DeviceState>('init'),
  faults: signal([]),
  properties: signal([]),
  own: undefined,
  root: undefined,
  described: false,
  said: true,
  all: new Map(),
  alerts: new Map(),
  told: new Map(),
});

const sameInfo = (a: PropertyInfo, b: PropertyInfo) => (Object.keys(a) as (keyof PropertyInfo)[]).every((key) => a[key] === b[key]);
const byName = (a: ThingModel, b: ThingModel) =>
  a.room.peek().localeCompare(b.room.peek()) || a.name.peek().localeCompare(b.name.peek()) || a.id.localeCompare(b.id);

/** The things of the box, as their Homie topics say them. Names, order and the list change seldom; values change all the time. */
export class Things {
  readonly list: Signal<readonly ThingModel[]> = signal([]);
  readonly #byId = new Map<string, Known>();
  #ofDevice: ReadonlySet<string> = new Set();

  /** One message below `<edge>/5/`. `atMs` is the box's time; a retained value is older than its arrival, so it has no time yet. */
  take(topic: string, payload: string, retained: boolean, atMs: number): void {
    const parsed = parseTopic(topic);
    switch (parsed.kind) {
      case 'description':
        this.#describe(parsed.thing, payload);
        break;
      case 'state':
        if (payload === '') this.#remove(parsed.thing);
        else {
          this.#thing(parsed.thing).own = stateOf(payload);
          this.#showStates(parsed.thing);
        }
        break;
      case 'property':
        this.#value(this.#property(parsed.thing, parsed.node, parsed.property), payload, retained, atMs);
        break;
      case 'other':
        this.#alert(topic, payload);
        break;
    }
  }

  /** What the stream does not say: rooms, times of retained values, and why a value cannot be read. */
  merge(views: readonly ThingView[]): void {
    this.#ofDevice = new Set(views.map((view) => view.id));
    for (const view of views) {
      const thing = this.#byId.get(view.id);
      if (!thing) continue;
      thing.room.value = view.room ?? '';
      thing.told.clear();
      if (view.fault !== null) thing.told.set('', view.fault);
      for (const { node, property, time, fault } of view.properties) {
        const model = thing.all.get(`${node}/${property}`);
        if (!model) continue;
        if (fault !== null) thing.told.set(model.key, fault);
        const timeMs = time === null ? Number.NaN : Date.parse(time);
        if (timeMs > (model.timeMs.peek() ?? Number.NEGATIVE_INFINITY)) model.timeMs.value = timeMs;
      }
      this.#showFaults(thing);
    }
    this.#sort();
  }

  /** Is it a thing of the device service, and not one that another service says itself? */
  isOfDevice(thing: string): boolean {
    return this.#ofDevice.has(thing);
  }

  /** From now on everything is said again; {@link dropUnsaid} forgets what was not. */
  beginSnapshot(): void {
    for (const thing of this.#byId.values()) thing.said = false;
  }

  dropUnsaid(): void {
    for (const thing of [...this.#byId.values()]) if (!thing.said) this.#remove(thing.id);
  }

  clear(): void {
    this.#byId.clear();
    this.list.value = [];
  }

  #thing(id: string): Known {
    const known = this.#byId.get(id) ?? newThing(id);
    this.#byId.set(id, known);
    known.said = true;
    return known;
  }

  #property(thing: string, node: string, property: string): PropertyModel {
    const { all } = this.#thing(thing);
    const key = `${node}/${property}`;
    const model = all.get(key) ?? newProperty(thing, node, property);
    all.set(key, model);
    return model;
  }

  #describe(id: string, payload: string): void {
    if (payload === '') {
      this.#remove(id);
      return;
    }
    const info = parseDescription(payload, id);
    if (!info) return;
    const thing = this.#thing(id);
    thing.name.value = info.name;
    thing.root = info.root;
    const models = info.properties.map((property) => {
      const model = this.#property(id, property.node, property.property);
      if (!sameInfo(model.info.peek(), property)) model.info.value = property;
      return model;
    });
    const before = thing.properties.peek();
    if (models.length !== before.length || models.some((model, i) => model !== before[i])) thing.properties.value = models;
    thing.described = true;
    this.#showStates(id);
    this.#showFaults(thing);
    this.#sort();
  }

  #remove(id: string): void {
    if (!this.#byId.delete(id)) return;
    this.#showStates(id);
    this.#sort();
  }

  /** The state of a thing, and of all whose root it is. */
  #showStates(id: string): void {
    for (const thing of this.#byId.values()) {
      if (thing.id !== id && thing.root !== id) continue;
      const root = thing.root === undefined ? undefined : this.#byId.get(thing.root)?.own;
      thing.state.value = effectiveState(thing.own ?? 'init', root);
    }
  }

  #sort(): void {
    const next = [...this.#byId.values()].filter((thing) => thing.described).sort(byName);
    const before = this.list.peek();
    if (next.length !== before.length || next.some((thing, i) => thing !== before[i])) this.list.value = next;
  }

  #value(model: PropertyModel, payload: string, retained: boolean, atMs: number): void {
    const lastMs = model.timeMs.peek();
    if (retained && model.payload.peek() === payload) return;
    model.payload.value = payload;
    if (retained) {
      model.timeMs.value = undefined;
      return;
    }
    model.timeMs.value = atMs;
    if (lastMs !== undefined) model.rhythmMs.value = learnRhythm(model.rhythmMs.peek(), atMs - lastMs);
  }

  /** Homie 5, "Alerts": `$alert/<id>`, retained while it stands. */
  #alert(topic: string, payload: string): void {
    const [, , id, word, alert] = topic.split('/');
    if (id === undefined || word !== '$alert' || alert === undefined) return;
    const thing = this.#thing(id);
    if (payload === '') thing.alerts.delete(alert);
    else thing.alerts.set(alert, payload);
    this.#showFaults(thing);
  }

  /** An alert called `<node>-<property>` belongs to that property; the others, and the driver's fault, to the thing. */
  #showFaults(thing: Known): void {
    const alerts = new Map(thing.alerts);
    for (const { key, fault } of thing.all.values()) {
      const id = key.replace('/', '-');
      fault.value = alerts.get(id) ?? thing.told.get(key);
      alerts.delete(id);
    }
    const whole = thing.told.get('');
    const next = [...new Set([...(whole === undefined ? [] : [whole]), ...alerts.values()])];
    if (next.join('\n') !== thing.faults.peek().join('\n')) thing.faults.value = next;
  }
}
