import type { Value } from '@ledge/contract';
import { expect, test } from 'vitest';
import { polledThing } from './polled.ts';

const property = (key: string) => ({ key, config: { datatype: 'float' as const } as never, source: {} });

test('when time is over, what was read until then is told, what hangs is an error, and the rest was not asked', async () => {
  const asked: string[] = [];
  const hangs = Promise.withResolvers<void>();
  const thing = polledThing(['a', 'hung', 'c'].map(property), ({ key }) => {
    asked.push(key);
    if (key !== 'hung') return Promise.resolve(7);
    hangs.resolve();
    return new Promise<Value>(() => {});
  });
  const limit = new AbortController();
  const answers = thing.read(['a', 'hung', 'c'], limit.signal);
  await hangs.promise;
  limit.abort(new Error('time is over'));
  expect([...(await answers)]).toEqual([
    ['a', 7],
    ['hung', new Error('time is over')],
  ]);
  expect(asked).toEqual(['a', 'hung']);
});
