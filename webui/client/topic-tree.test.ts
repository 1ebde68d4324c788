import { expect, test } from 'vitest';
import { MAX_TOPICS, TopicTree } from './topic-tree.ts';

const said = (tree: TopicTree, topic: string, payload = 'x', retained = false) =>
  tree.take({ topic, payload, ...(retained ? { retained } : {}) }, 1000);
const shown = (tree: TopicTree, ...unfolded: string[]) =>
  tree.rows(new Set(unfolded)).map(({ node }) => `${'.'.repeat(node.depth)}${node.name} ${node.topicsBelow}/${node.messagesBelow}`);

test('topics are a tree in order, with what is below counted', () => {
  const tree = new TopicTree();
  for (const topic of ['b/y', 'b/x', 'a', 'b/x', 'b']) said(tree, topic);
  expect(shown(tree)).toEqual(['a 1/1', 'b 3/4']);
  expect(shown(tree, 'b')).toEqual(['a 1/1', 'b 3/4', '.x 1/2', '.y 1/1']);
});

test('numbers are in order of their size', () => {
  const tree = new TopicTree();
  for (const topic of ['10', '9', '1']) said(tree, topic);
  shown(tree);
  said(tree, '2');
  expect(shown(tree).map((line) => line.split(' ')[0])).toEqual(['1', '2', '9', '10']);
});

test('levels may be empty', () => {
  const tree = new TopicTree();
  for (const topic of ['/a', 'a//b']) said(tree, topic);
  expect(tree.find('/a')?.topic).toBe('/a');
  expect(tree.find('a//b')?.topic).toBe('a//b');
});

test('what was retained stays marked so until it is cleared, and then it is gone with its empty levels', () => {
  const tree = new TopicTree();
  said(tree, 'a/b/c', '1', true);
  said(tree, 'a/b/c', '2');
  expect(tree.find('a/b/c')?.value).toMatchObject({ payload: '2', retained: true });
  said(tree, 'a/b/c', '');
  expect(shown(tree)).toEqual([]);
});

test('there is room for so many topics; of more only the number is known', () => {
  const tree = new TopicTree();
  for (let n = 0; n < MAX_TOPICS + 10; n += 1) said(tree, `many/${n}`);
  said(tree, 'many/1');
  said(tree, 'other/deep/topic');
  expect([tree.root.topicsBelow, tree.cut, tree.root.children.size]).toEqual([MAX_TOPICS, 11, 1]);
});
