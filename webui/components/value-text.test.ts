import type { Datatype } from '@ledge/contract';
import { afterEach, expect, test } from 'vitest';
import { loadWords, speak } from '../words/words.ts';
import { booleanWords, reading, readingText } from './value-text.ts';

await loadWords('shell');
afterEach(() => speak('en'));

const of = (datatype: Datatype, unit = '', format = '') => ({ datatype, unit, format });

test('numbers are shown short, small ones with their digits, and what is no number as it came', () => {
  const shown = ['21.456', '0.00123456', '0', '-3', '', 'NaN', 'broken'].map((payload) => reading(of('float'), payload).text);
  expect(shown).toEqual(['21.46', '0.00123', '0', '-3', '', 'NaN', 'broken']);
});

test('many seconds and bytes are said in larger units, few in their own', () => {
  expect(['14760', '90', '1.5'].map((payload) => readingText(of('integer', 's'), payload))).toEqual([
    '4 h 6 min',
    '90\u00a0s',
    '1.5\u00a0s',
  ]);
  expect(['1610612736', '12'].map((payload) => readingText(of('integer', 'B'), payload))).toEqual(['1.5\u00a0GiB', '12\u00a0B']);
});

test('numbers and units follow the language', async () => {
  await speak('fr');
  expect(readingText(of('float', '°C'), '21.5')).toBe('21,5\u00a0°C');
  expect(readingText(of('integer', 's'), '180000')).toBe('2 j 2 h');
});

test('a boolean is shown in the words of its property, else in those of the language', async () => {
  expect([reading(of('boolean', '', 'closed,open'), 'true').text, reading(of('boolean'), 'false').text]).toEqual(['open', 'Off']);
  await speak('fr');
  expect(booleanWords('')).toEqual({ on: 'Allumé', off: 'Éteint' });
});

test('an empty text is one zero byte on the wire', () => {
  expect(reading(of('string'), '\0').text).toBe('');
});

test.each([
  ['PT1H30M', '1 h 30 min'],
  ['PT0S', '0 s'],
  ['soon', 'soon'],
])('the duration %s reads %s', (payload, wanted) => {
  expect(reading(of('duration'), payload).text).toBe(wanted);
});
