import { expect, test } from 'vitest';
import { testSettings } from '../test-support.ts';
import { configurationOf, MosquittoFiles } from './configuration.ts';

const ports = { tcp: 1883, tls: 0, webSocket: 0, secureWebSocket: 0 };
const lines = (changes: Parameters<typeof testSettings>[0], wanted = ports) =>
  configurationOf({
    settings: testSettings(changes),
    ports: wanted,
    files: new MosquittoFiles('/data/broker/mosquitto'),
    plugin: '/lib/plugin.so',
    sysIntervalS: 10,
  }).split('\n');

test('nobody comes in without a name unless that is allowed', () => {
  expect(lines({})).toContain('allow_anonymous false');
  expect(lines({ allowAnonymous: true })).toContain('allow_anonymous true');
});

test('limits are those of the settings', () => {
  expect(lines({ packetBytes: 5000, queuedMessages: 77, connections: 12, sessionExpiryH: 3, retainedWriteIntervalS: 60 })).toEqual(
    expect.arrayContaining([
      'max_packet_size 5000',
      'max_queued_messages 77',
      'max_connections 12',
      'persistent_client_expiration 3h',
      'autosave_interval 60',
    ]),
  );
  expect(lines({ sessionExpiryH: 0 }).some((line) => line.startsWith('persistent_client_expiration'))).toBe(false);
});

test('each listener that is on has its own lines, with the certificate where it is encrypted', () => {
  const all = lines({ host: '0.0.0.0', connections: 10 }, { tcp: 1883, tls: 8883, webSocket: 9001, secureWebSocket: 9443 });
  const from = (listener: string) => all.slice(all.indexOf(listener) + 1);
  expect(from('listener 1883 0.0.0.0')[0]).toBe('max_connections 10');
  expect(from('listener 8883 0.0.0.0').slice(0, 4)).toEqual([
    'max_connections 10',
    'certfile /data/broker/mosquitto/certificate.pem',
    'keyfile /data/broker/mosquitto/key.pem',
    'tls_version tlsv1.2',
  ]);
  expect(from('listener 9001 0.0.0.0')[1]).toBe('protocol websockets');
  expect(lines({}).filter((line) => line.startsWith('listener '))).toEqual(['listener 1883 127.0.0.1']);
});

test('a value cannot become a line of its own', () => {
  expect(() => lines({ host: '127.0.0.1\nallow_anonymous true' })).toThrow(expect.objectContaining({ code: 'config-invalid' }));
});
