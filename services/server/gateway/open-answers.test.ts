import { PassThrough } from 'node:stream';
import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { OpenAnswers } from './open-answers.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * 60_000;

function open() {
  const clock = fakeClock();
  const answers = new OpenAnswers(clock);
  answers.start();
  const hold = (grant: string, inMs: number) => {
    const answer = new PassThrough();
    answers.hold({ user: 'anna', role: 'viewer', grant, expiresMs: clock.now() + inMs }, answer);
    return answer;
  };
  return { clock, answers, hold };
}

test('answers end with what they were asked with, and no others do', () => {
  const { answers, hold } = open();
  const [mine, alsoMine, other] = [hold('a', DAY_MS), hold('a', DAY_MS), hold('b', DAY_MS)];
  answers.end('a');
  answers.end('nobody');
  expect([mine, alsoMine, other].map((answer) => answer.destroyed)).toEqual([true, true, false]);
});

test('an answer ends when its session expires, unless the session was used since', async () => {
  const { clock, hold } = open();
  const token = hold('token', MINUTE_MS);
  const session = hold('session', MINUTE_MS);
  await clock.advance(MINUTE_MS / 2);
  hold('session', MINUTE_MS);
  await clock.advance(MINUTE_MS / 2 - 2000);
  expect([token.destroyed, session.destroyed]).toEqual([false, false]);
  await clock.advance(3000);
  expect([token.destroyed, session.destroyed]).toEqual([true, false]);
  await clock.advance(MINUTE_MS / 2);
  expect(session.destroyed).toBe(true);
});

test('a session of 30 days is no timer that runs over', async () => {
  const { clock, hold } = open();
  const answer = hold('a', 30 * DAY_MS);
  await clock.advance(5000);
  expect(answer.destroyed).toBe(false);
});
