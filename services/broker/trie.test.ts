import { topicMatches } from '@ledge/contract';
import { expect, test } from 'vitest';
import { SubscriptionTrie } from './trie.ts';

const FILTERS = [
  '#',
  '+',
  'a',
  'a/#',
  'a/+',
  'a/b',
  '+/b',
  'a/+/c',
  '+/+/#',
  '/',
  '/+',
  '+/',
  'a//c',
  '$SYS/#',
  '$SYS/+/x',
  '$x',
  'a/b/c/d',
];
const TOPICS = ['a', 'b', 'a/b', 'a/b/c', 'a/b/c/d', '/', '/a', 'a/', 'a//c', '$SYS/b/x', '$x', '$SYS'];

test.each(TOPICS)('%s goes to exactly the filters that match it', (topic) => {
  const trie = new SubscriptionTrie<string>();
  for (const filter of FILTERS) trie.add(filter, filter, 0);
  const found = trie.match(topic).map(({ holder }) => holder);
  expect(found.sort()).toEqual(FILTERS.filter((filter) => topicMatches(filter, topic)).sort());
});

test('a holder is found once, with the highest QoS of its filters', () => {
  const trie = new SubscriptionTrie<string>();
  trie.add('a/#', 'one', 1);
  trie.add('a/b', 'one', 0);
  trie.add('a/+', 'one', 2);
  expect(trie.match('a/b')).toEqual([{ holder: 'one', qos: 2 }]);
});

test('what is removed is found no more, and changes count although matches are remembered', () => {
  const trie = new SubscriptionTrie<string>();
  trie.add('a/b/c', 'one', 0);
  trie.add('a/b/c', 'two', 0);
  expect(trie.match('a/b/c')).toHaveLength(2);
  trie.remove('a/b/c', 'one');
  trie.remove('a/b', 'two');
  trie.remove('a/b/c', 'one');
  expect(trie.match('a/b/c')).toEqual([{ holder: 'two', qos: 0 }]);
  trie.add('a/b/c', 'two', 1);
  expect(trie.match('a/b/c')).toEqual([{ holder: 'two', qos: 1 }]);
  expect(trie.size).toBe(1);
  trie.remove('a/b/c', 'two');
  expect(trie.size).toBe(0);
  expect(trie.match('a/b/c')).toEqual([]);
});
