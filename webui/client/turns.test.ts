import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('only so many are on their way at a time, and each gets its turn, after a failure too', async () => {
  const turns = new Turns(2);
  let busy = 0;
  let most = 0;
  const asks = [1, 2, 3, 4, 5].map((n) =>
    turns.take(async () => {
      busy += 1;
      most = Math.max(most, busy);
      await Promise.resolve();
      busy -= 1;
      if (n === 2) throw new Error('no');
      return n;
    }),
  );
  const ends = await Promise.allSettled(asks);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  expect(most).toBe(2);
});
