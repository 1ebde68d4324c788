import { expect, test } from 'vitest';
import { createLogger } from './log.ts';

function lines(environment: Record<string, string>) {
  const written: string[] = [];
  return { written, log: createLogger('hello', environment, { write: (text) => written.push(text) }) };
}

test('a log line is JSON with its service and its facts', () => {
  const { written, log } = lines({});
  log.info({ thing: 'fan' }, 'state published');
  expect(JSON.parse(written[0] ?? '')).toMatchObject({ service: 'hello', level: 30, thing: 'fan', msg: 'state published' });
});

test('journald gets the priority of each line', () => {
  const { written, log } = lines({ JOURNAL_STREAM: '8:1234' });
  log.info('all well');
  log.error('not well');
  expect(written.map((line) => line.slice(0, 3))).toEqual(['<6>', '<3>']);
});

test('the level can be chosen', () => {
  const { written, log } = lines({ EDGE_LOG_LEVEL: 'error' });
  log.warn('quiet');
  expect(written).toEqual([]);
});
