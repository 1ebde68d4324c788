import { expect, test } from 'vitest';
import { type Datatype, formatPayload, parsePayload, type ValueLimits } from './homie.ts';
import { effectiveState } from './lifecycle.ts';

test.each<[Datatype, string, ValueLimits, unknown]>([
  ['float', '21.5', {}, 21.5],
  ['float', '-1e3', {}, -1000],
  ['integer', '42', {}, 42],
  ['integer', '7', { min: 0, max: 10, step: 5 }, 5],
  ['integer', '10', { min: 0, max: 9, step: 5 }, undefined],
  ['boolean', 'true', {}, true],
  ['boolean', 'TRUE', {}, undefined],
  ['float', 'NaN', {}, undefined],
  ['float', '0x10', {}, undefined],
  ['float', ' 1', {}, undefined],
  ['integer', '1.5', {}, undefined],
  ['enum', 'low', { values: ['low', 'high'] }, 'low'],
  ['enum', 'LOW', { values: ['low', 'high'] }, undefined],
  ['color', 'rgb,255,0,10', {}, 'rgb,255,0,10'],
  ['color', 'xyz,0.25,0.34', {}, 'xyz,0.25,0.34'],
  ['color', 'rgb,255,0', {}, undefined],
  ['datetime', '2026-01-31T12:00:00Z', {}, '2026-01-31T12:00:00Z'],
  ['duration', 'PT12H5M46S', {}, 'PT12H5M46S'],
  ['duration', 'P', {}, undefined],
  ['json', '{"a":1}', {}, '{"a":1}'],
  ['json', '3', {}, undefined],
  ['string', '\0', {}, ''],
])('%s %j within %j is read as %j', (datatype, payload, limits, wanted) => {
  const result = parsePayload(datatype, payload, limits);
  expect(result.ok ? result.value : undefined).toEqual(wanted);
  if (!result.ok) expect(result.wanted).toMatch(/wanted$/);
});

test('an empty string is one zero byte on the wire', () => {
  expect(formatPayload('')).toBe('\0');
  expect(formatPayload(false)).toBe('false');
});

test('a child is as its root is, until the root is ready', () => {
  for (const root of ['lost', 'disconnected', 'sleeping', 'init'] as const) expect(effectiveState('ready', root)).toBe(root);
  expect(effectiveState('sleeping', 'ready')).toBe('sleeping');
  expect(effectiveState('ready', undefined)).toBe('ready');
});
