import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { propertySchema, type Value } from '@ledge/contract';
import type { Driver, DriverEnvironment, DriverSink, OpenThing } from '@ledge/sdk';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';

export { driverEnvironment as environment, kernelTree as tree } from '@ledge/sdk/testing.ts';

/** A temporary directory that is gone after the test. */
export async function temporaryDirectory(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ledge-drivers-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Adds files to a {@link tree}, or changes them. */
export async function grow(root: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

/** A sink that remembers, and lets a test wait for what comes next. */
export class RecordingSink implements DriverSink {
  readonly values: [key: string, value: Value, time?: number][] = [];
  readonly faults: [key: string, message: string][] = [];
  readonly states: string[] = [];
  #waiting: { met: () => boolean; resolve: () => void }[] = [];

  value(key: string, value: Value, time?: number): void {
    this.values.push(time === undefined ? [key, value] : [key, value, time]);
    this.#look();
  }
  fault(key: string, problem: Error): void {
    this.faults.push([key, problem.message]);
    this.#look();
  }
  state(state: 'ready' | 'disconnected' | 'sleeping'): void {
    this.states.push(state);
    this.#look();
  }
  /** Resolves once `met` holds; asked after everything that comes in. */
  async until(met: () => boolean): Promise<void> {
    if (met()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ met, resolve });
    await promise;
  }
  #look(): void {
    const done = this.#waiting.filter(({ met }) => met());
    this.#waiting = this.#waiting.filter((one) => !done.includes(one));
    for (const { resolve } of done) resolve();
  }
}

/** Opens a thing as the core does: options and sources go through the driver's schemas. It is closed after the test. */
export async function open<O extends z.ZodType, S extends z.ZodType>(
  driver: Driver<O, S>,
  given: { options?: unknown; properties: Record<string, z.input<typeof propertySchema>> },
  env: DriverEnvironment,
  sink: DriverSink = new RecordingSink(),
): Promise<OpenThing> {
  const properties = Object.entries(given.properties).map(([key, property]) => {
    const config = propertySchema.parse(property);
    return { key, config, source: driver.source.parse(config.source) };
  });
  const thing = await driver.open({ id: 'thing', options: driver.options.parse(given.options ?? {}), properties }, sink, env);
  onTestFinished(() => thing.close());
  return thing;
}

/** Reads one polled property: its value, or the message of its error. */
export async function readOne(thing: OpenThing, key: string): Promise<Value | undefined> {
  const value = (await thing.read([key], new AbortController().signal)).get(key);
  return value instanceof Error ? `fault: ${value.message}` : value;
}

export const never = (): AbortSignal => new AbortController().signal;
