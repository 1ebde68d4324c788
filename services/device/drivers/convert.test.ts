import { propertySchema } from '@ledge/contract';
import { expect, test } from 'vitest';
import { fromValue, toValue } from './convert.ts';
import { extract, parsePath, valueAt } from './json-path.ts';
import { render } from './template.ts';

const config = (datatype: string, more = {}) => propertySchema.parse({ datatype, ...more });

test('numbers are taken from numbers and from text, and from nothing else', () => {
  expect(toValue(' 21.50 ', config('float'))).toBe(21.5);
  expect(toValue(7, config('integer'))).toBe(7);
  for (const wrong of ['', 'n/a', null, {}, 'NaN', 'Infinity', Number.NaN]) {
    expect(() => toValue(wrong, config('float'))).toThrow(/a number is wanted/);
  }
});

test("booleans know the usual words and the device's own", () => {
  for (const yes of [true, 'ON', 'true', 1, '1']) expect(toValue(yes, config('boolean'))).toBe(true);
  for (const no of [false, 'Off', 0, 'no']) expect(toValue(no, config('boolean'))).toBe(false);
  expect(() => toValue('maybe', config('boolean'))).toThrow('the value is "maybe"; true or false is wanted');
  expect(toValue('AUF', config('boolean'), { on: 'AUF', off: 'ZU' })).toBe(true);
  expect(() => toValue('HALB', config('boolean'), { on: 'AUF', off: 'ZU' })).toThrow('"AUF" or "ZU" is wanted');
  expect(toValue('anything', config('boolean'), { on: 'AUF' })).toBe(false);
});

test('mapped words go both ways', () => {
  const words = { map: { heat: 'heating', idle: 'off' } };
  const mode = config('enum', { values: ['heating', 'off'] });
  expect(toValue('heat', mode, words)).toBe('heating');
  expect(fromValue('heating', mode, words)).toBe('heat');
  expect(fromValue(true, config('boolean'), { on: 'ON', off: 'OFF' })).toBe('ON');
  expect(toValue('constructor', config('string'), words)).toBe('constructor');
});

test('a path finds its value in all its spellings', () => {
  const document = { ENERGY: { Power: 12 }, sensors: [{ 'a b': 1 }, { v: 2 }], $odd: 3 };
  expect(valueAt(document, '$.ENERGY.Power')).toBe(12);
  expect(valueAt(document, 'ENERGY.Power')).toBe(12);
  expect(valueAt(document, 'sensors[1].v')).toBe(2);
  expect(valueAt(document, "$['sensors'][0]['a b']")).toBe(1);
  expect(valueAt(document, '$odd')).toBe(3);
  expect(valueAt(5, '$')).toBe(5);
  expect(valueAt(document, 'ENERGY.toString')).toBeUndefined();
  expect(valueAt(document, 'sensors.length')).toBe(2);
  expect(valueAt(document, 'sensors[9].v')).toBeUndefined();
});

test('what is no path is refused', () => {
  for (const wrong of ['a[', 'a..b', 'a[x]', '$$[', 'a.'.repeat(30)]) expect(parsePath(wrong), wrong).toBeUndefined();
});

test('the sentences about a missing value name origin and path', () => {
  expect(() => extract('{"a":1}', 'b.c', 'tele/x/SENSOR')).toThrow('tele/x/SENSOR has nothing at b.c');
  expect(() => extract('oops', 'a', 'tele/x/SENSOR')).toThrow('tele/x/SENSOR said "oops"; JSON is wanted');
  expect(extract(' 21.5\n', undefined, 'x')).toBe('21.5');
});

test('a template keeps the type of a value in JSON, inside or outside of quotes', () => {
  expect(render({ state: '{value}' }, true)).toEqual({ text: '{"state":true}', json: true });
  expect(render('{"brightness": {value}}', 12)).toEqual({ text: '{"brightness":12}', json: true });
  expect(render('{"state": "{value}"}', 'ON')).toEqual({ text: '{"state":"ON"}', json: true });
  expect(render('POWER {value}', 'ON')).toEqual({ text: 'POWER ON', json: false });
  expect(render('{value}', 3)).toEqual({ text: '3', json: false });
});

test('no value can break out of a JSON template', () => {
  expect(JSON.parse(render('{"text":"{value}"}', '","admin":true,"x":"').text)).toEqual({ text: '","admin":true,"x":"' });
  expect(JSON.parse(render({ text: 'say {value}!' }, '"$&').text)).toEqual({ text: 'say "$&!' });
});
