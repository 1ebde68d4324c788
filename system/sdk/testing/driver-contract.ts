import { type Datatype, formatPayload, type PropertyConfig, parsePayload, propertySchema, thingSchema, type Value } from '@ledge/contract';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import type { Driver, DriverEnvironment, DriverSink, DriverThing, OpenThing, PropertyKey } from '../driver.ts';

/** A property as a thing file says it; `datatype` alone is enough. */
export interface ContractProperty {
  /** `<node>/<property>`. */
  key: PropertyKey;
  /** For example `{ datatype: 'float', source: { channel: 'temp' } }`. */
  config: Partial<PropertyConfig> & Pick<PropertyConfig, 'datatype'>;
}

/** A driver together with a thing, and a world around it in which that thing works. */
export interface ContractSetup<O extends z.ZodType = z.ZodType, S extends z.ZodType = z.ZodType> {
  /** What is tested. */
  driver: Driver<O, S>;
  /** For example {@link driverEnvironment} with a {@link kernelTree}. */
  environment: DriverEnvironment;
  /** `options` and each property's `source`, as the thing file would say them. */
  options?: z.input<O>;
  /** At least one. */
  properties: readonly ContractProperty[];
  /** A settable property and a value that the thing takes. */
  settable?: { key: PropertyKey; value: Value };
  /** Makes one property unreadable. With it, the contract shows that the others go on. */
  breakProperty?: (key: PropertyKey) => Promise<void> | void;
  /** Lets the world act: a pushed value arrive, a fake clock move on. Called after `open`, `write` and `close`. */
  settle?: () => Promise<void>;
  /** Gives back what the set-up took. */
  dispose?: () => Promise<void> | void;
}

/** Everything that an open thing said through its sink, in order. */
export interface RecordedSink extends DriverSink {
  /** Values that came by themselves. */
  readonly values: { key: PropertyKey; value: Value; time: number | undefined }[];
  /** Properties that could not be read. */
  readonly faults: { key: PropertyKey; problem: Error }[];
  /** States of the thing. */
  readonly states: string[];
}

/** A sink that remembers what it was told. */
export function recordingSink(): RecordedSink {
  const sink: RecordedSink = {
    values: [],
    faults: [],
    states: [],
    value: (key, value, time) => void sink.values.push({ key, value, time }),
    fault: (key, problem) => void sink.faults.push({ key, problem }),
    state: (state) => void sink.states.push(state),
  };
  return sink;
}

/** The thing of a set-up, parsed as the core parses it before `open`. */
export function contractThing<O extends z.ZodType, S extends z.ZodType>(setup: ContractSetup<O, S>): DriverThing<z.output<O>, z.output<S>> {
  return {
    id: 'contract',
    options: setup.driver.options.parse(setup.options ?? {}),
    properties: setup.properties.map(({ key, config }) => {
      const parsed: PropertyConfig = propertySchema.parse(config);
      return { key, config: parsed, source: setup.driver.source.parse(parsed.source) };
    }),
  };
}

const fits = (datatype: Datatype, value: unknown) => {
  if (datatype === 'float' || datatype === 'integer') return typeof value === 'number' && Number.isFinite(value);
  if (datatype === 'boolean') return typeof value === 'boolean';
  return typeof value === 'string' || parsePayload('string', formatPayload(value as Value)).ok;
};

const neverAborted = () => new AbortController().signal;

/**
 * What every driver promises, run against the given one. Each test makes its own world with `setup`.
 * @param name as in the test's title, for example `w1 on a copied tree`
 */
export function driverContract<O extends z.ZodType, S extends z.ZodType>(
  name: string,
  setup: () => Promise<ContractSetup<O, S>> | ContractSetup<O, S>,
): void {
  const opened = async (use: (open: OpenThing, sink: RecordedSink, world: ContractSetup<O, S>) => Promise<void>) => {
    const world = await setup();
    const sink = recordingSink();
    try {
      const open = await world.driver.open(contractThing(world), sink, world.environment);
      try {
        await world.settle?.();
        await use(open, sink, world);
      } finally {
        await open.close();
      }
    } finally {
      await world.dispose?.();
    }
  };

  describe(`driver contract: ${name}`, () => {
    test('its example, its template and what it finds are thing files that its own schemas take', async () => {
      const { driver, environment, dispose } = await setup();
      const found = (await driver.found?.(environment)) ?? [];
      await dispose?.();
      for (const yaml of [driver.example, driver.template ?? driver.example, ...found.map((suggestion) => suggestion.yaml)]) {
        const thing = thingSchema.parse(parseYaml(yaml));
        expect(thing.driver).toBe(driver.name);
        driver.options.parse(thing.options);
        const groups = thing.properties ? [thing.properties] : Object.values(thing.nodes ?? {}).map((node) => node.properties);
        for (const property of groups.flatMap((group) => Object.values(group))) driver.source.parse(property.source);
      }
    });

    test('it says that this world has what it needs, and says what is missing in a sentence', async () => {
      const { driver, environment, dispose } = await setup();
      const why = await driver.unavailable(environment);
      await dispose?.();
      expect(why).toBeUndefined();
    });

    test('each property is either polled and answers, or comes by itself', async () => {
      await opened(async (open, sink, world) => {
        const keys = world.properties.map((p) => p.key);
        expect(keys).toEqual(expect.arrayContaining([...open.polled]));
        const polled = [...open.polled];
        const answer = await open.read(polled, neverAborted());
        expect([...answer.keys()].sort()).toEqual(polled.sort());
        for (const { key, config } of world.properties) {
          const values = open.polled.has(key) ? [answer.get(key)] : sink.values.filter((v) => v.key === key).map((v) => v.value);
          for (const value of values) expect(fits(config.datatype, value), `${key} is ${String(value)}`).toBe(true);
        }
      });
    });

    test('only what was asked for is read', async () => {
      await opened(async (open) => {
        const [first] = open.polled;
        if (first === undefined) return;
        expect([...(await open.read([first], neverAborted())).keys()]).toEqual([first]);
      });
    });

    test('a read whose time is over ends at once', async () => {
      await opened(async (open) => {
        const outcome = await open.read([...open.polled], AbortSignal.abort(new Error('time is over'))).then(
          (answer) => answer instanceof Map,
          () => true,
        );
        expect(outcome).toBe(true);
      });
    });

    test('a property that cannot be read does not take the others with it', async () => {
      await opened(async (open, sink, world) => {
        const [broken, ...others] = [...open.polled];
        if (!world.breakProperty || broken === undefined) return;
        await world.breakProperty(broken);
        await world.settle?.();
        const answer = await open.read([broken, ...others], neverAborted());
        expect(answer.get(broken)).toBeInstanceOf(Error);
        for (const key of others) expect(answer.get(key)).not.toBeInstanceOf(Error);
        expect(sink.faults).toEqual([]); // of a polled property the answer tells, once
      });
    });

    test('a command is acknowledged with the value that the thing has then', async () => {
      await opened(async (open, _sink, world) => {
        if (!world.settable) return;
        const { key, value } = world.settable;
        const written = open.write(key, value, neverAborted());
        await world.settle?.();
        expect(await written).toBe(value);
      });
    });

    test('a command whose time is over does not hang', async () => {
      await opened(async (open, _sink, world) => {
        if (!world.settable) return;
        const { key, value } = world.settable;
        const ended = await open.write(key, value, AbortSignal.abort(new Error('time is over'))).then(
          () => 'acknowledged',
          () => 'failed',
        );
        expect(['acknowledged', 'failed']).toContain(ended);
      });
    });

    test('closing twice is closing once, and afterwards it is silent', async () => {
      const world = await setup();
      const sink = recordingSink();
      const timersBefore = pendingTimers(world.environment);
      const open = await world.driver.open(contractThing(world), sink, world.environment);
      await world.settle?.();
      await open.close();
      await open.close();
      expect(pendingTimers(world.environment)).toBe(timersBefore);
      const said = sink.values.length + sink.faults.length + sink.states.length;
      await world.settle?.();
      expect(sink.values.length + sink.faults.length + sink.states.length).toBe(said);
      await world.dispose?.();
    });

    test('it can be opened again after it was closed', async () => {
      const world = await setup();
      for (let round = 0; round < 2; round++) {
        const open = await world.driver.open(contractThing(world), recordingSink(), world.environment);
        await world.settle?.();
        expect((await open.read([...open.polled], neverAborted())).size).toBe(open.polled.size);
        await open.close();
      }
      await world.dispose?.();
    });
  });
}

/** Of a fake clock; a real one tells nothing. */
const pendingTimers = (environment: DriverEnvironment) => (environment.clock as { pendingTimers?: number }).pendingTimers;
