import type { LogLine } from '@ledge/contract';
import { expect, test } from 'vitest';
import { formatLine, MergedLog } from './log.ts';

const line = (service: string, message: string, fields = {}): LogLine => ({
  time: '2026-01-01T12:00:00.000Z',
  service,
  level: 30,
  message,
  fields,
});

test('a line shows time, service, level, message and facts', () => {
  expect(formatLine(line('device', 'thing added', { thing: 'fan' }), false)).toBe('12:00:00 device     info  thing added  thing=fan');
});

test('what a stranger put into a message cannot steer the terminal', () => {
  const hostile = formatLine(line('device', 'a\x1b[2Jb\x07\nc'), false);
  expect(hostile).not.toMatch(/[\x00-\x1f]/);
});

test('the newest lines are kept and followers hear the next', () => {
  const log = new MergedLog();
  for (let i = 0; i < 3000; i++) log.add(line(i % 2 ? 'odd' : 'even', String(i)));
  expect(log.newest(2).map((l) => l.message)).toEqual(['2998', '2999']);
  expect(log.newest(1, 'even')[0]?.message).toBe('2998');
  expect(log.newest(5000)).toHaveLength(2000);
  const heard: string[] = [];
  const unfollow = log.follow((l) => heard.push(l.message));
  log.add(line('odd', 'new'));
  unfollow();
  log.add(line('odd', 'unheard'));
  expect(heard).toEqual(['new']);
});
