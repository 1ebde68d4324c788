import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { Turns, type Worker } from './turns.ts';

const rounds = (count: number) =>
  Array.from({ length: count }).reduce<Promise<void>>(
    (before) => before.then(() => new Promise((resolve) => setImmediate(resolve))),
    Promise.resolve(),
  );

test('a worker with little to do does not wait for those that have always more', async () => {
  let nowMs = 0;
  const turns = new Turns({ ...fakeClock(), monotonic: () => nowMs });
  const order: string[] = [];
  // each turn of a busy one takes 3 ms, so a round of 8 ms ends after three of them
  const busy = (name: string): Worker => ({
    turn() {
      nowMs += 3;
      order.push(name);
      return order.length < 40;
    },
  });
  for (let n = 0; n < 10; n++) turns.ready(busy(`busy${n}`));
  await rounds(1);
  order.length = 0;
  turns.ready({ turn: () => order.push('calm') < 0 });
  await rounds(1);
  expect(order[0]).toBe('calm');
  expect(order.length).toBeLessThan(6);
  turns.stop();
});

test('busy workers take turns', async () => {
  const turns = new Turns(fakeClock());
  const order: number[] = [];
  const worker = (name: number, times: number): Worker => {
    let left = times;
    return {
      turn() {
        order.push(name);
        left -= 1;
        return left > 0;
      },
    };
  };
  turns.ready(worker(1, 3));
  turns.ready(worker(2, 3));
  await rounds(3);
  expect(order).toEqual([1, 2, 1, 2, 1, 2]);
});

test('what is gathered in a round is flushed once, at its end', async () => {
  const turns = new Turns(fakeClock());
  const said: string[] = [];
  const gatherer = { flush: () => void said.push('flush') };
  turns.ready({
    turn() {
      turns.gather(gatherer);
      turns.gather(gatherer);
      said.push('turn');
      return false;
    },
  });
  await rounds(2);
  expect(said).toEqual(['turn', 'flush']);
});

test('a worker that is forgotten gets no turn', async () => {
  const turns = new Turns(fakeClock());
  let turnsTaken = 0;
  const worker = {
    turn() {
      turnsTaken += 1;
      return true;
    },
    flush() {
      turnsTaken += 1;
    },
  };
  turns.ready(worker);
  turns.gather(worker);
  turns.forget(worker);
  await rounds(2);
  expect(turnsTaken).toBe(0);
});
