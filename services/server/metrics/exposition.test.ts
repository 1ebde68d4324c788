import { Counter, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { mergeExpositions } from './exposition.ts';

const merged = (parts: Record<string, string>) => mergeExpositions(new Map(Object.entries(parts)));

test('samples of one metric stand together, each with its service', () => {
  const text = '# HELP up Is it up\n# TYPE up gauge\nup 1\n';
  expect(merged({ device: text, media: text })).toBe(
    '# HELP up Is it up\n# TYPE up gauge\nup{service="device"} 1\nup{service="media"} 1\n',
  );
});

test('labels and timestamps stay, and a foreign service label is renamed', () => {
  expect(
    merged({ device: 'temp{thing="a",path="x\\"}"} 21.5 1700000000000\nseen{service="tasmota",q="1"} 3\nown{service="device"} 1\n' }),
  ).toBe(
    'temp{service="device",thing="a",path="x\\"}"} 21.5 1700000000000\n' +
      'seen{service="device",exported_service="tasmota",q="1"} 3\n' +
      'own{service="device"} 1\n',
  );
});

test('who speaks of other services keeps their names', () => {
  const parts = new Map([['server', 'asked{service="device"} 1\nown 2\n']]);
  expect(mergeExpositions(parts, 'server')).toBe('asked{service="device"} 1\nown{service="server"} 2\n');
});

test('a histogram of prom-client stays in one piece, from every service', async () => {
  const registry = new Registry();
  new Histogram({ name: 'wait_seconds', help: 'Waiting', buckets: [1, 2], registers: [registry] }).observe(1.5);
  new Counter({ name: 'tries_total', help: 'Tries', registers: [registry] }).inc();
  const lines = merged({ a: await registry.metrics(), b: await registry.metrics() })
    .trim()
    .split('\n');
  expect(lines.filter((line) => line.startsWith('# TYPE'))).toEqual(['# TYPE wait_seconds histogram', '# TYPE tries_total counter']);
  const nameOf = (line: string) => line.replace(/^# \w+ /, '').match(/^[a-z]+_[a-z]+/)?.[0];
  const order = lines.map(nameOf);
  expect(order).toEqual([...order].sort((x, y) => order.indexOf(x) - order.indexOf(y)));
  expect(lines).toContain('wait_seconds_bucket{service="b",le="2"} 1');
});

test('lines that are no metrics are left out', () => {
  expect(merged({ bad: '<html>\nup{ 1\n# comment\nfine 1' })).toBe('fine{service="bad"} 1\n');
});
