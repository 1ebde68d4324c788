import { expect, test } from 'vitest';
import { type Datatype, formatPayload, limitsOf, parsePayload, type ValueLimits } from './homie.ts';
import { effectiveState } from './lifecycle.ts';

test.each<[Datatype, string, ValueLimits, unknown]>([
  ['float', '21.5', {}, 21.5],
  ['float', '-1e3', {}, -1000],
  ['integer', '42', {}, 42],
  ['integer', '7', { min: 0, max: 10, step: 5 }, 5],
  ['integer', '10', { min: 0, max: 9, step: 5 }, undefined],
  ['float', '6.9', { min: 2, max: 6, step: 2 }, 6],
  ['float', '7.1', { min: 2, max: 6, step: 2 }, undefined],
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
  ['color', 'rgb,256,0,0', {}, undefined],
  ['color', 'hsv,360,100,-1', {}, undefined],
  ['color', 'xyz,0.25,1.1', {}, undefined],
  ['color', 'hsv,10,20,30', { values: ['rgb'] }, undefined],
  ['color', 'toString,1', { values: ['toString'] }, undefined],
  ['datetime', 'lamp 1', {}, undefined],
  ['datetime', '2026-13-31T12:00:00Z', {}, undefined],
  ['datetime', '2026-01-31', {}, '2026-01-31'],
  ['datetime', '2026-01-31T12:00:00Z', {}, '2026-01-31T12:00:00Z'],
  ['duration', 'PT12H5M46S', {}, 'PT12H5M46S'],
  ['duration', 'PT', {}, undefined],
  ['duration', 'P1D', {}, undefined],
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

test('a large number has no plus sign on the wire, and is read back as itself', () => {
  expect(formatPayload(1.5e21)).toBe('1.5e21');
  expect(parsePayload('float', formatPayload(1.5e21))).toEqual({ ok: true, value: 1.5e21 });
});

test('a child is lost when its root is, and else what it says itself', () => {
  expect(effectiveState('ready', 'lost')).toBe('lost');
  for (const root of ['ready', 'disconnected', 'sleeping', 'init', undefined] as const) expect(effectiveState('ready', root)).toBe('ready');
  expect(effectiveState('sleeping', 'ready')).toBe('sleeping');
});

test.each<[Datatype, string | undefined, ValueLimits]>([
  ['float', '0:6:0.1', { min: 0, max: 6, step: 0.1 }],
  ['integer', ':10', { max: 10 }],
  ['float', 'a:b', {}],
  ['integer', undefined, {}],
  ['enum', 'low,high', { values: ['low', 'high'] }],
  ['color', 'rgb', { values: ['rgb'] }],
  ['boolean', 'closed,open', {}],
])('the format of a %s, %s, limits its value', (datatype, format, limits) => {
  expect(limitsOf({ datatype, ...(format === undefined ? {} : { format }) })).toEqual(limits);
});
