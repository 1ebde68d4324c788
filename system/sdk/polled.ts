import { Problem, type Value } from '@ledge/contract';
import { asError } from '@ledge/kit';
import type { DriverProperty, OpenThing } from './driver.ts';

/**
 * What `open` of a driver returns for a thing all of whose properties are measured when they are asked for, one after the other: kernel trees
 * and 1-Wire are slow together.
 */
export function polledThing<Source>(
  properties: readonly DriverProperty<Source>[],
  readOne: (property: DriverProperty<Source>, signal: AbortSignal) => Promise<Value>,
): OpenThing {
  const byKey = new Map(properties.map((property) => [property.key, property]));
  return {
    polled: new Set(byKey.keys()),
    async read(keys, signal) {
      const values = new Map<string, Value | Error>();
      const over = Promise.withResolvers<never>();
      over.promise.catch(() => {});
      const end = () => over.reject(signal.reason);
      signal.addEventListener('abort', end, { once: true });
      for (const key of keys) {
        if (signal.aborted) break; // what was read until now is told; the others were not asked
        const property = byKey.get(key);
        try {
          if (!property) throw new Problem('not-found', `there is no property ${key}`);
          values.set(key, await Promise.race([readOne(property, signal), over.promise]));
        } catch (error) {
          values.set(key, asError(error));
        }
      }
      signal.removeEventListener('abort', end);
      return values;
    },
    write: async (key) => {
      throw new Problem('command-rejected', `${key} is a sensor; it cannot be set`);
    },
    close: async () => {},
  };
}
