import { type AccessRule, mayPublish, mayReceive, maySubscribe, topicMatches } from '@ledge/contract';
import type { MqttClient } from 'mqtt';
import { expect, test } from 'vitest';
import { testBroker } from '../test-support.ts';
import { mosquittoStand } from './test-support.ts';

const SETS = 60;
const FILTERS_ASKED = 12;
const LEVELS = ['a', 'b', '', '+'];
const END = 'end/of/messages';

/** Mulberry32: the same cases at each run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function cases(random: () => number) {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const filter = (): string => {
    if (random() < 0.1) return pick(['$SYS/#', '$SYS/broker/version', '$SYS/+/version', '#']);
    const levels = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(LEVELS));
    if (random() < 0.4) levels.push('#');
    return levels.join('/') || 'a';
  };
  const rule = (): AccessRule => ({ filter: filter(), access: pick(['publish', 'subscribe', 'both', 'both', 'deny'] as const) });
  return { filter, rules: () => Array.from({ length: 1 + Math.floor(random() * 4) }, rule) };
}

const names = ['a', 'b', ''];
const TOPICS = names
  .flatMap((x) => [x, ...names.flatMap((y) => [`${x}/${y}`, ...names.map((z) => `${x}/${y}/${z}`)])])
  .filter((t) => t !== '');

/** What comes to a client until the message that ends it. */
function gather(client: MqttClient): Promise<Set<string>> {
  const topics = new Set<string>();
  return new Promise((resolve) => {
    const take = (topic: string) => {
      if (topic !== END) topics.add(topic);
      else {
        client.off('message', take);
        resolve(topics);
      }
    };
    client.on('message', take);
  });
}

test('mosquitto answers every subscription, publish and delivery as the rules of the contract do', async () => {
  await using broker = await testBroker({}, undefined, mosquittoStand);
  const { filter, rules: someRules } = cases(chance(5));
  const wrong: unknown[] = [];
  for (let n = 0; n < SETS; n++) {
    const rules = someRules();
    const withEnd: AccessRule[] = [...rules, { filter: END, access: 'both' }];
    await broker.setRules(withEnd);
    const client = await broker.connect({ clientId: `client ${n}` });
    const granted: string[] = [END];
    await client.subscribeAsync(END);
    for (const asked of Array.from({ length: FILTERS_ASKED }, filter)) {
      const got = await client.subscribeAsync(asked).then(
        () => true,
        () => false,
      );
      if (got !== maySubscribe(rules, asked)) wrong.push({ rules, asked, subscribe: got });
      if (got) granted.push(asked);
    }
    // what it receives of others
    const received = gather(client);
    for (const topic of [...TOPICS, END]) broker.engine.publish(topic, Buffer.from('x'));
    const wanted = TOPICS.filter((topic) => mayReceive(rules, topic) && granted.some((one) => topicMatches(one, topic)));
    const got = [...(await received)].filter((topic) => !topic.startsWith('$'));
    if (got.sort().join() !== wanted.sort().join()) wrong.push({ rules, granted, got, wanted });
    // what others receive of it
    const heard = new Set<string>();
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = await broker.engine.listen('#', ({ topic }) => (topic === END ? resolve() : heard.add(topic)));
    for (const topic of [...TOPICS, END]) client.publish(topic, 'x');
    await promise;
    stop();
    const maySay = TOPICS.filter((topic) => mayPublish(rules, topic));
    if ([...heard].sort().join() !== maySay.sort().join()) wrong.push({ rules, heard: [...heard], maySay });
    await client.endAsync();
  }
  expect(wrong).toEqual([]);
});

test('whatever the rules are, nobody gets a hand on users and rules', async () => {
  await using broker = await testBroker({}, undefined, mosquittoStand);
  const all: AccessRule[] = ['#', '$SYS/#', '$CONTROL/#', '$CONTROL/dynamic-security/v1', '+/dynamic-security/v1', '+/#'].map((filter) => ({
    filter,
    access: 'both',
  }));
  await broker.setRules(all);
  const client = await broker.connect();
  for (const filter of ['$CONTROL/#', '$CONTROL/dynamic-security/v1/response', '$CONTROL/+/v1', '$share/g/$CONTROL/#']) {
    await expect(client.subscribeAsync(filter)).rejects.toThrow();
  }
  const commands = [{ command: 'deleteClient', username: 'u' }];
  await client.publishAsync('$CONTROL/dynamic-security/v1', JSON.stringify({ commands }), { qos: 1 });
  expect((await broker.connect({ username: 'u', password: 'p' })).connected).toBe(true);
});
