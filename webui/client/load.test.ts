import { beforeEach, expect, test } from 'vitest';
import { Loader } from './load.ts';

/** What was asked of the box and not yet answered, oldest first. */
let open: PromiseWithResolvers<string>[];
let loader: Loader<string>;

const ask = () => {
  const answer = Promise.withResolvers<string>();
  open.push(answer);
  return answer.promise;
};
/** Answers the oldest question. */
const answer = (content: string) => open.shift()?.resolve(content);

beforeEach(() => {
  open = [];
  loader = new Loader(ask);
});

test('of several questions only the answer to the last one counts', async () => {
  const [first, second] = [loader.load(), loader.load()];
  const [one, two] = open;
  two?.resolve('new');
  one?.resolve('old');
  await Promise.all([first, second]);
  expect(loader.content.value).toBe('new');
  expect(loader.busy.value).toBe(false);
});

test('the answer to a change is the content', async () => {
  const loading = loader.load();
  const changing = loader.change(ask);
  answer('before it');
  answer('after it');
  await Promise.all([loading, changing]);
  expect(loader.content.value).toBe('after it');
  expect(loader.busy.value).toBe(false);
});

test('the late answer to a change does not undo what was learnt meanwhile', async () => {
  const changing = loader.change(ask);
  const loading = loader.load();
  open.pop()?.resolve('what somebody else set after the change');
  await loading;
  answer('as it was right after the change');
  await expect.poll(() => open.length).toBe(1);
  expect(loader.content.value).toBe('what somebody else set after the change');
  answer('as it is');
  await changing;
  expect(loader.content.value).toBe('as it is');
});

test('of changes that overtake each other the content is what the box says after the last answer', async () => {
  const changes = [loader.change(ask), loader.change(ask)];
  open.pop()?.resolve('after the second');
  answer('after the first');
  await expect.poll(() => open.length).toBe(1);
  answer('as it is');
  await Promise.all(changes);
  expect(loader.content.value).toBe('as it is');
});

test('a page that is left asks nothing more', async () => {
  const changing = loader.change(ask);
  loader.stop();
  answer('after it');
  await changing;
  expect(open).toEqual([]);
  expect(loader.content.value).toBeUndefined();
});
