import { expect, test } from 'vitest';
import { type AccessRule, mayPublish, mayReceive, maySubscribe, needsDeliveryCheck, rulesOfRole, rulesOfService } from './access.ts';
import { topics } from './topics.ts';

const rules: AccessRule[] = [
  { filter: 'garden/#', access: 'both' },
  { filter: 'garden/secret/#', access: 'deny' },
  { filter: 'news/#', access: 'subscribe' },
];

test('only what a rule allows is allowed', () => {
  expect(mayPublish(rules, 'garden/pump')).toBe(true);
  expect(mayPublish(rules, 'news/today')).toBe(false);
  expect(mayPublish(rules, 'house/door')).toBe(false);
  expect(mayReceive(rules, 'news/today')).toBe(true);
});

test('deny wins', () => {
  expect(mayPublish(rules, 'garden/secret/key')).toBe(false);
  expect(mayReceive(rules, 'garden/secret/key')).toBe(false);
  expect(maySubscribe(rules, 'garden/secret/#')).toBe(false);
});

test('a filter may be subscribed to only when one rule covers all of it', () => {
  expect(maySubscribe(rules, 'garden/+/on')).toBe(true);
  expect(maySubscribe(rules, '#')).toBe(false);
  expect(needsDeliveryCheck(rules, 'garden/#')).toBe(true);
  expect(needsDeliveryCheck(rules, 'news/#')).toBe(false);
});

test('a viewer reads this box and nothing else, and says nothing', () => {
  const viewer = rulesOfRole('viewer', 'ledge-1');
  expect(maySubscribe(viewer, 'ledge-1/5/#')).toBe(true);
  expect(maySubscribe(viewer, 'ledge-2/5/#')).toBe(false);
  expect(mayPublish(viewer, 'ledge-1/5/fan/main/on/set')).toBe(false);
});

test("the box's own display reads things, and no events nor anything else", () => {
  const kiosk = rulesOfRole('kiosk', 'ledge-1');
  expect(['ledge-1/5/#', 'ledge-1/reading/+/+/+', 'ledge-1/event/+', 'ledge-1/#'].map((filter) => maySubscribe(kiosk, filter))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(mayPublish(kiosk, 'ledge-1/5/fan/main/on/set')).toBe(false);
});

test('a service speaks only for itself', () => {
  const server = rulesOfService('server', 'ledge-1');
  expect(mayPublish(server, topics.reading('ledge-1', { thing: 'a', node: 'b', property: 'c' }))).toBe(false);
  const custom = rulesOfService('hello', 'ledge-1');
  expect(mayPublish(custom, topics.service('ledge-1', 'hello'))).toBe(true);
  expect(mayPublish(custom, topics.service('ledge-1', 'server'))).toBe(false);
  expect(maySubscribe(custom, 'other/#')).toBe(false);
});
