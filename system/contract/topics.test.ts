import { expect, test } from 'vitest';
import { filterCovers, filterFault, filtersOverlap, parseTopic, topicFault, topicMatches, topics } from './topics.ts';

const address = { thing: 'fan', node: 'main', property: 'on' };

test('what is built is parsed back', () => {
  expect(parseTopic(topics.property('ledge-1', address))).toEqual({ kind: 'property', edge: 'ledge-1', ...address });
  expect(parseTopic(topics.set('ledge-1', address))).toEqual({ kind: 'set', edge: 'ledge-1', ...address });
  expect(parseTopic(topics.target('ledge-1', address))).toEqual({ kind: 'target', edge: 'ledge-1', ...address });
  expect(parseTopic(topics.reading('ledge-1', address))).toEqual({ kind: 'reading', edge: 'ledge-1', ...address });
  expect(parseTopic(topics.state('ledge-1', 'fan'))).toEqual({ kind: 'state', edge: 'ledge-1', thing: 'fan' });
  expect(parseTopic(topics.description('ledge-1', 'fan'))).toEqual({ kind: 'description', edge: 'ledge-1', thing: 'fan' });
  expect(parseTopic(topics.service('ledge-1', 'device'))).toEqual({ kind: 'service', edge: 'ledge-1', name: 'device' });
  expect(parseTopic(topics.event('ledge-1', 'sign-in'))).toEqual({ kind: 'event', edge: 'ledge-1', event: 'sign-in' });
});

test.each(['', 'a', 'a/b', 'a/5/fan', 'a/5/fan/$log/warn', 'a/5/fan/main/on/set/more', 'a/reading/fan', 'x/y/z'])(
  '%j is none of our topics',
  (topic) => {
    expect(parseTopic(topic)).toEqual({ kind: 'other' });
  },
);

test.each([
  ['#', 'a/b', true],
  ['#', '$SYS/x', false],
  ['+/x', '$SYS/x', false],
  ['$SYS/#', '$SYS/x', true],
  ['a/#', 'a', true],
  ['a/#', 'a/b/c', true],
  ['a/+', 'a/b', true],
  ['a/+', 'a', false],
  ['a/+', 'a/b/c', false],
  ['+/+', '/a', true],
  ['a/b', 'a/b', true],
  ['a/b', 'a/c', false],
])('%s matches %s: %s', (filter, topic, wanted) => {
  expect(topicMatches(filter, topic)).toBe(wanted);
});

test.each([
  ['#', 'a/#', true],
  ['a/#', '#', false],
  ['a/+', 'a/b', true],
  ['a/+', 'a/#', false],
  ['a/+/c', 'a/+/c', true],
  ['a/b', 'a/+', false],
  ['#', '$SYS/#', false],
])('%s covers %s: %s', (wide, narrow, wanted) => {
  expect(filterCovers(wide, narrow)).toBe(wanted);
});

test('filters overlap when one topic can match both', () => {
  expect(filtersOverlap('a/+', '+/b')).toBe(true);
  expect(filtersOverlap('a/#', 'a/b/c')).toBe(true);
  expect(filtersOverlap('a/b', 'a/c')).toBe(false);
  expect(filtersOverlap('a', 'a/b')).toBe(false);
});

test('wrong topics and filters are named for what they are', () => {
  expect(topicFault('a/+')).toContain('wildcard');
  expect(topicFault('')).toContain('empty');
  expect(topicFault('a\0b')).toContain('zero');
  expect(topicFault('a/'.repeat(40))).toContain('deeper');
  expect(filterFault('a/#/b')).toContain('#');
  expect(filterFault('a+/b')).toContain('+');
  expect(filterFault('a/+/#')).toBeUndefined();
});
