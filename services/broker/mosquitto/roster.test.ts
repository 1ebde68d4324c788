import type { BrokerClient } from '@ledge/contract';
import { fakeClock } from '@ledge/testing';
import { expect, test } from 'vitest';
import { Traffic } from '../counters.ts';
import { RecordingHost } from '../test-support.ts';
import { readLine } from './log-lines.ts';
import { Roster } from './roster.ts';

function make() {
  const host = new RecordingHost();
  const clock = fakeClock();
  const addresses: string[] = [];
  host.refused = (facts: unknown, reason: string) => {
    addresses.push((facts as { address: string }).address);
    host.seen.refused.push(reason);
  };
  const joined: BrokerClient[] = [];
  const roster = new Roster(
    host,
    new Traffic(),
    {
      isOurs: (user) => user?.startsWith('ledge:') === true,
      transportOf: (listener) => (listener === undefined ? 'websocket' : 'tcp'),
      joined: (client) => joined.push(client),
    },
    clock,
  );
  const say = (...lines: string[]) => {
    for (const line of lines) roster.told(readLine(line));
  };
  return { host, roster, say, addresses, joined, clock };
}
const VICTIM = ['New connection from 10.0.0.1:1 on port 1883.', "New client connected from 10.0.0.1:1 as victim (p2, c1, k60, u'anna')."];

test('somebody who is refused with the id of a client that is connected does not make it look gone', () => {
  const { roster, say, host } = make();
  say(...VICTIM, 'New connection from 10.0.0.66:2 on port 1883.', 'Client victim disconnected, not authorised.');
  expect(roster.list()).toMatchObject([{ client: 'victim', connected: true }]);
  expect(host.seen.left).toEqual([]);
  expect(host.seen.refused).toHaveLength(1);
});

test('an address is told of a refusal only while it can be nobody else', () => {
  const { say, addresses } = make();
  say('New connection from 10.0.0.66:1 on port 1883.', 'New connection from 10.0.0.66:2 on port 1883.');
  say('Client <unknown> disconnected, not authorised.');
  say('New connection from 10.0.0.7:3 on port 1883.');
  say('Client <unknown> disconnected, not authorised.', 'Client <unknown> disconnected, not authorised.');
  expect(addresses).toEqual(['10.0.0.66', '', '10.0.0.7']);
});

test('connections of our own are nobody; a client whose place they take has left for our reason', () => {
  const { roster, say, host, joined } = make();
  say(...VICTIM);
  roster.expect('victim', 'was told to go');
  say('Client victim already connected, closing old connection.');
  say("New client connected from 127.0.0.1:9 as victim (p2, c1, k60, u'ledge:kicker').", 'Client victim closed its connection.');
  expect(roster.list()).toEqual([]);
  expect(host.seen.left).toEqual([{ client: 'victim', reason: 'was told to go' }]);
  expect(joined.map(({ client }) => client)).toEqual(['victim']);
});

test('a lasting session is listed as away until its client comes back or it expires', () => {
  const { roster, say } = make();
  const come = "New client connected from 10.0.0.1:1 as keeper (p2, c0, k60, u'anna').";
  say(come, 'Client keeper disconnected.');
  expect(roster.list()).toMatchObject([{ client: 'keeper', connected: false }]);
  say(come);
  expect(roster.list()).toMatchObject([{ client: 'keeper', connected: true }]);
  say('Client keeper disconnected.', 'Expiring client keeper due to timeout.');
  expect(roster.list()).toEqual([]);
});

test('a client over WebSocket is known by mosquitto not telling its port', () => {
  const { roster, say } = make();
  say('New client connected from 10.0.0.1:1 as page (p2, c1, k60).', ...VICTIM);
  expect(roster.list()).toMatchObject([{ client: 'page', transport: 'websocket' }, { transport: 'tcp' }]);
});

test('connections that never say who they are are forgotten', () => {
  const { say, addresses } = make();
  for (let n = 0; n < 3000; n++) say(`New connection from 10.0.${n % 200}.1:${n} on port 1883.`);
  say('Client <unknown> disconnected, not authorised.');
  expect(addresses).toEqual(['']);
});
