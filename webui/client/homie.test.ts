import { expect, test } from 'vitest';
import { booleanWords, colourOf, enumValues, numberLimits, parseDescription, readable, rgbOf, shownValue, stateOf } from './homie.ts';

test('a description is read, and what a stranger left out is filled in', () => {
  const description = { homie: '5.0', nodes: { main: { properties: { 'air-temp': { datatype: 'float', unit: '°C', settable: true } } } } };
  expect(parseDescription(JSON.stringify(description), 'green-house')).toEqual({
    name: 'Green house',
    properties: [
      { node: 'main', property: 'air-temp', name: 'Air temp', datatype: 'float', unit: '°C', format: '', settable: true, retained: true },
    ],
  });
});

test.each(['', 'x', '1', 'null', '[]', '"text"'])('%j is no description', (payload) => {
  expect(parseDescription(payload, 't')).toBeUndefined();
});

test('nodes and properties of a wrong shape are left out, the rest stays', () => {
  const description = {
    name: 7,
    nodes: { a: null, b: { properties: [] }, c: { properties: { x: 5, y: { name: 3, datatype: {}, settable: 'yes' } } } },
  };
  expect(parseDescription(JSON.stringify(description), 't')).toEqual({
    name: 'T',
    properties: [{ node: 'c', property: 'y', name: 'Y', datatype: 'string', unit: '', format: '', settable: false, retained: true }],
  });
});

test('numbers are shown short, small ones with their digits, and what is no number as it came', () => {
  const float = { datatype: 'float', format: '' } as const;
  const shown = ['21.456', '0.00123456', '0', '-3', '', 'NaN', 'broken'].map((payload) => shownValue(float, payload));
  const local = (value: number, digits: number) => value.toLocaleString(undefined, { maximumFractionDigits: digits });
  expect(shown).toEqual([local(21.46, 2), local(0.00123, 5), '0', '-3', '', 'NaN', 'broken']);
});

test('a boolean is shown in the words of its property', () => {
  expect([
    shownValue({ datatype: 'boolean', format: 'closed,open' }, 'true'),
    shownValue({ datatype: 'boolean', format: '' }, 'false'),
  ]).toEqual(['open', 'Off']);
  expect(booleanWords('x')).toEqual({ on: 'On', off: 'Off' });
});

test('an empty text is one zero byte on the wire', () => {
  expect(shownValue({ datatype: 'string', format: '' }, '\0')).toBe('');
});

test('limits may be left out one by one', () => {
  expect(numberLimits('0:6:0.1')).toEqual({ min: 0, max: 6, step: 0.1 });
  expect(numberLimits(':10')).toEqual({ min: undefined, max: 10, step: undefined });
  expect(numberLimits('a:b')).toEqual({ min: undefined, max: undefined, step: undefined });
});

test('a word that Homie does not know is not taken for ready', () => {
  expect([stateOf('ready'), stateOf('perfect')]).toEqual(['ready', 'lost']);
});

test('ids become words, and an enum without a format has no values', () => {
  expect([readable('living-room'), enumValues('')]).toEqual(['Living room', []]);
});

test.each([
  ['rgb,255,128,0', '#ff8000'],
  ['hsv,30,100,100', '#ff8000'],
  ['hsv,360,100,50', '#800000'],
  ['hsv,120,0,100', '#ffffff'],
  ['xyz,0.25,0.34', undefined],
  ['rgb,255,256,0', undefined],
  ['rgb,1,2', undefined],
  ['red', undefined],
  ['', undefined],
])('the colour %s is shown as %s', (payload, wanted) => {
  expect(colourOf(payload)).toBe(wanted);
});

test('a chosen colour is said as Homie does', () => {
  expect(rgbOf('#ff8000')).toBe('rgb,255,128,0');
});

test.each([
  ['PT1H30M', '1 h 30 min'],
  ['P2DT0.5S', '2 d 0.5 s'],
  ['PT0S', '0 s'],
  ['soon', 'soon'],
])('the duration %s reads %s', (payload, wanted) => {
  expect(shownValue({ datatype: 'duration', format: '' }, payload)).toBe(wanted);
});
