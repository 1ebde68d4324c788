import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { fakeLines, frame, turn } from './fake-lines.ts';
import { SILENCE_MS, Stream } from './stream.ts';

function given() {
  const clock = fakeClock();
  const story: string[] = [];
  const { lines, refuse, fetch } = fakeLines();
  let comeOnline = () => {};
  const stream = new Stream(
    ['a/#', 'b/#'],
    {
      fetch,
      after: (ms, task) => clock.after(ms, task),
      random: () => 0.5,
      onOnline: (listener) => {
        comeOnline = listener;
        return () => {};
      },
    },
    {
      onMessage: ({ topic, payload }) => story.push(`${topic}=${payload}`),
      onConnection: (connection) => story.push(connection),
      onSnapshot: () => story.push('(snapshot)'),
      onLive: (filter) => story.push(`(live ${filter})`),
      onSessionEnd: () => story.push('(session ended)'),
    },
  );
  const line = (i: number) => {
    const found = lines[i];
    if (!found) throw new Error(`no line ${i}`);
    return found;
  };
  return {
    clock,
    lines,
    line,
    story,
    stream,
    refuse,
    comeOnline: () => comeOnline(),
    async pass(ms: number) {
      await clock.advance(ms);
      await turn();
    },
  };
}

test('a stream begins with a snapshot, and takes up where it was after a break', async () => {
  const { story, stream, line, pass } = given();
  stream.start();
  await turn();
  await line(0).send(
    frame('bus', { connected: true }) +
      frame('message', { topic: 'a/x', payload: '1', retained: true }) +
      frame('live', { topic: 'a/#' }, 'i-7'),
  );
  await line(0).end();
  await pass(1000);
  await line(1).send(frame('bus', { connected: true }) + frame('message', { topic: 'a/x', payload: '2' }, 'i-8'));
  expect([line(0).lastId, line(1).lastId]).toEqual([null, 'i-7']);
  expect(story).toEqual(['connecting', '(snapshot)', 'live', 'a/x=1', '(live a/#)', 'offline', 'live', 'a/x=2']);
  stream.stop();
});

test('a gap is a new beginning', async () => {
  const { story, stream, line } = given();
  stream.start();
  await turn();
  await line(0).send(frame('gap', { missed: true }));
  expect(story).toEqual(['connecting', '(snapshot)', '(snapshot)']);
  stream.stop();
});

test('after dropped messages it asks for everything anew', async () => {
  const { stream, line, pass } = given();
  stream.start();
  await turn();
  await line(0).send(frame('live', { topic: 'a/#' }, 'i-7') + frame('dropped', { count: 3 }));
  await pass(1000);
  expect(line(1).lastId).toBeNull();
  stream.stop();
});

test('a line on which nothing comes is taken for dead, one with heartbeats is not', async () => {
  const { story, stream, line, pass } = given();
  stream.start();
  await turn();
  await line(0).send(frame('bus', { connected: true }));
  await pass(SILENCE_MS - 1000);
  await line(0).send(':\n\n');
  await pass(SILENCE_MS - 1000);
  expect(story.at(-1)).toBe('live');
  await pass(1000);
  expect(story.at(-1)).toBe('offline');
  stream.stop();
});

test('while the box does not answer it waits longer each time, and not at all when the network is back', async () => {
  const { clock, lines, stream, refuse, comeOnline, pass } = given();
  refuse('unreachable');
  stream.start();
  await turn();
  for (let i = 0; i < 12; i++) await pass(10_000);
  expect(lines).toHaveLength(0);
  refuse(undefined);
  const before = clock.monotonic();
  comeOnline();
  await turn();
  expect([lines.length, clock.monotonic() - before]).toEqual([1, 0]);
  stream.stop();
});

test('a session that is over ends the stream and is told once', async () => {
  const { story, stream, refuse, pass } = given();
  refuse(401);
  stream.start();
  await turn();
  await pass(60_000);
  expect(story).toEqual(['connecting', '(session ended)']);
});

test('the broker going and coming is told', async () => {
  const { story, stream, line } = given();
  stream.start();
  await turn();
  await line(0).send(frame('bus', { connected: false }) + frame('bus', { connected: true }));
  expect(story.slice(2)).toEqual(['bus-away', 'live']);
  stream.stop();
});

test('stop leaves no timer and tries no more', async () => {
  const { clock, lines, stream, pass } = given();
  stream.start();
  await turn();
  stream.stop();
  await turn();
  await pass(120_000);
  expect([lines.length, clock.pendingTimers]).toEqual([1, 0]);
});
