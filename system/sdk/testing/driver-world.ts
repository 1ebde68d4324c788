import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { propertySchema, thingSchema, type Value } from '@ledge/contract';
import { type FakeClock, fakeClock, type MemoryBus, memoryBus } from '@ledge/testing';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import type { Driver, DriverEnvironment } from '../driver.ts';
import { recordingSink } from './driver-contract.ts';
import { type FakeProcesses, fakeProcesses } from './fake-processes.ts';

/** A {@link DriverEnvironment} whose parts a test can move. */
export interface TestEnvironment extends DriverEnvironment {
  /** Stands still until it is moved. */
  clock: FakeClock;
  /** A broker in memory. */
  bus: MemoryBus;
  /** Nothing is installed, unless `fakeProcesses({ name: … })` is given. */
  processes: FakeProcesses;
}

/** A machine in memory on which nothing is installed and no network is; a test changes what it needs. */
export function driverEnvironment<Changes extends Partial<DriverEnvironment>>(
  changes?: Changes,
): Omit<TestEnvironment, keyof Changes> & Changes {
  const world: TestEnvironment = {
    edge: 'ledge-0000test',
    clock: fakeClock(),
    random: () => 0.5,
    log: pino({ level: 'silent' }),
    root: '/nowhere',
    bus: memoryBus(),
    fetch: () => Promise.reject(new TypeError('this test has no network')),
    processes: fakeProcesses(),
  };
  return Object.assign(world, changes);
}

/**
 * A small tree as the kernel's, from files with their contents: `{ 'proc/net/wireless': '…' }`. It is gone after the test.
 * @returns its path, for `driverEnvironment({ root })`
 */
export function kernelTree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'ledge-tree-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

/**
 * Opens a thing, reads each property that can be asked once, and closes it.
 * @param yaml as its file says it; `driver.example`, for example
 * @returns raw values by `<node>/<property>`; of a property that cannot be read the Error
 * @throws Problem `driver-unavailable`, or what the driver's schemas refuse
 */
export async function readThing<O extends z.ZodType, S extends z.ZodType>(
  driver: Driver<O, S>,
  yaml: string,
  environment: DriverEnvironment,
): Promise<Record<string, Value | Error>> {
  const thing = thingSchema.parse(parseYaml(yaml));
  const nodes = thing.nodes ?? { main: { properties: thing.properties ?? {} } };
  const properties = Object.entries(nodes).flatMap(([node, { properties: ofNode }]) =>
    Object.entries(ofNode).map(([property, given]) => {
      const config = propertySchema.parse(given);
      return { key: `${node}/${property}`, config, source: driver.source.parse(config.source) };
    }),
  );
  const open = await driver.open({ id: 'test', options: driver.options.parse(thing.options), properties }, recordingSink(), environment);
  try {
    return Object.fromEntries(await open.read([...open.polled], new AbortController().signal));
  } finally {
    await open.close();
  }
}
