import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { fakeLines, frame, turn } from './fake-lines.ts';
import { TopicFeed } from './topic-feed.ts';

const said = (topic: string) => frame('message', { topic, payload: '1', retained: true });
const live = frame('live', { topic: '#' }, 'i-7');

async function given() {
  const clock = fakeClock();
  const { lines, fetch } = fakeLines();
  const feed = new TopicFeed('#', {
    fetch,
    after: (ms, task) => clock.after(ms, task),
    random: () => 0.5,
    onOnline: () => () => {},
    onFrame: (task) => clock.after(16, task),
    boxNow: () => clock.now(),
    onSessionEnd: () => {},
  });
  feed.start();
  await turn();
  const [line] = lines;
  if (!line) throw new Error('the feed asks for no stream');
  return { clock, feed, line };
}

test('a feed listens when the box has said all that it kept, and shows that in the same moment', async () => {
  const { feed, line } = await given();
  await line.send(frame('bus', { connected: true }));
  expect(feed.listening.value).toBe(false);
  const shownWhenListening: number[] = [];
  feed.listening.subscribe((listening) => listening && shownWhenListening.push(feed.tree.root.topicsBelow));
  await line.send(said('a/x') + said('a/y') + live);
  expect(shownWhenListening).toEqual([2]);
  feed.stop();
});

test('after a gap it listens only when all was said anew', async () => {
  const { feed, line } = await given();
  await line.send(live);
  await line.send(frame('gap', { missed: true }));
  expect(feed.listening.value).toBe(false);
  await line.send(live);
  expect(feed.listening.value).toBe(true);
  feed.stop();
});

test('many messages are one round of showing', async () => {
  const { clock, feed, line } = await given();
  await line.send(live);
  const before = feed.version.value;
  await line.send(said('a/1') + said('a/2') + said('a/3'));
  await clock.advance(1000);
  expect(feed.version.value).toBe(before + 1);
  expect(feed.tree.root.topicsBelow).toBe(3);
  feed.stop();
});
