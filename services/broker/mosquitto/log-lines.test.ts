import { expect, test } from 'vitest';
import { readLine } from './log-lines.ts';

test.each([
  ['mosquitto version 2.0.21 running', { kind: 'ready', version: '2.0.21' }],
  ['New connection from 10.0.0.7:52402 on port 1883.', { kind: 'opened', address: '10.0.0.7', port: '52402', listener: 1883 }],
  ['New connection from ::ffff:10.0.0.7:52402 on port 1883.', { kind: 'opened', address: '10.0.0.7', port: '52402', listener: 1883 }],
  [
    "New client connected from 10.0.0.7:52402 as g2 (p2, c0, k60, u'gardener').",
    { kind: 'joined', address: '10.0.0.7', port: '52402', client: 'g2', user: 'gardener', clean: false },
  ],
  [
    'New client connected from fe80::1:52402 as g2 (p5, c1, k60).',
    { kind: 'joined', address: 'fe80::1', port: '52402', client: 'g2', user: undefined, clean: true },
  ],
  ['Client g2 disconnected.', { kind: 'ended', client: 'g2', reason: 'said goodbye' }],
  ['Client g2 closed its connection.', { kind: 'ended', client: 'g2', reason: 'the connection broke' }],
  ['Client <unknown> disconnected due to protocol error.', { kind: 'ended', client: '', reason: 'sent what MQTT does not allow' }],
  ['Client g2 disconnected due to sunspots.', { kind: 'ended', client: 'g2', reason: 'was disconnected: sunspots' }],
  [
    'Client g2 disconnected: Connection reset by peer.',
    { kind: 'ended', client: 'g2', reason: 'was disconnected: Connection reset by peer' },
  ],
  ['Bad socket read/write on client g2: Broken pipe', { kind: 'ended', client: 'g2', reason: 'was disconnected: Broken pipe' }],
  ['Client g2 disconnected, not authorised.', { kind: 'unauthorised', client: 'g2', reason: 'gave a wrong name or password, or none' }],
  ['Expiring client g2 due to timeout.', { kind: 'expired', client: 'g2' }],
  ['Outgoing messages are being dropped for client g2.', { kind: 'dropping', client: 'g2' }],
  [
    'Client connection from 10.0.0.7 denied: max_connections exceeded.',
    { kind: 'turned-away', address: '10.0.0.7', reason: 'as many connections are open as are allowed' },
  ],
  [
    'Client connection from 10.0.0.7 failed: error:0A00010B:SSL routines::wrong version number.',
    { kind: 'turned-away', address: '10.0.0.7', reason: 'TLS failed: wrong version number' },
  ],
  ['Error: Address already in use', { kind: 'other', level: 'error' }],
  ['Warning: Mosquitto should not be run as root/administrator.', { kind: 'other', level: 'warn' }],
  ['mosquitto version 2.0.21 starting', { kind: 'other', level: 'debug' }],
])('%s', (line, told) => {
  expect(readLine(line)).toEqual(told);
});

test.each([
  "x (p2, c1, k60, u'ledge-server')",
  'victim closed its connection. Client',
  'x disconnected: Protocol error',
  "New client connected from 1.2.3.4:5 as x (p2, c1, k60, u'admin').",
  ' as y ',
])('a client id that looks like a line of the log is an id and nothing else: %j', (id) => {
  expect(readLine(`New client connected from 10.0.0.7:1 as ${id} (p2, c1, k60, u'gardener').`)).toMatchObject({
    client: id,
    user: 'gardener',
  });
  expect(readLine(`New client connected from 10.0.0.7:1 as ${id} (p2, c1, k60).`)).toMatchObject({ client: id, user: undefined });
  expect(readLine(`Client ${id} disconnected.`)).toEqual({ kind: 'ended', client: id, reason: 'said goodbye' });
  expect(readLine(`Client ${id} disconnected, not authorised.`)).toMatchObject({ kind: 'unauthorised', client: id });
});
