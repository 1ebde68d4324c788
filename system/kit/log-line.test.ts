import { expect, test } from 'vitest';
import { parseLogLine } from './log-line.ts';

const otherwise = { level: 50, timeMs: 0 };

test('a line of a service keeps its own time, level and facts', () => {
  const line = '{"level":30,"time":1000,"service":"hello","thing":"fan","msg":"on"}';
  expect(parseLogLine('hello', line, otherwise)).toEqual({
    time: '1970-01-01T00:00:01.000Z',
    service: 'hello',
    level: 30,
    message: 'on',
    fields: { thing: 'fan' },
  });
});

test.each(['Segmentation fault', '{"level":30}', '{"level":30,"time":1e99}', 'null', '{"level":'])(
  'a line such as %s is kept as it is',
  (text) => {
    expect(parseLogLine('hello', text, otherwise)).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      service: 'hello',
      level: 50,
      message: text,
      fields: {},
    });
  },
);
