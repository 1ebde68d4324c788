import { expect, test } from 'vitest';
import { colourOf, durationSeconds, enumValues, namedStates, numberLimits, parseDescription, readable, rgbOf, stateOf } from './homie.ts';

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

test('a boolean may name its states, both or none', () => {
  expect([namedStates('closed,open'), namedStates(''), namedStates('x')]).toEqual([{ on: 'open', off: 'closed' }, undefined, undefined]);
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
  ['PT1H30M', 5400],
  ['P2DT0.5S', 172_800.5],
  ['PT0S', 0],
  ['P', undefined],
  ['soon', undefined],
])('the duration %s is %s seconds', (payload, wanted) => {
  expect(durationSeconds(payload)).toBe(wanted);
});
