import { createRequire } from 'node:module';
import type { Packet } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { delayMs, PacketReader, PUBLISH, PublishTemplate, puback, stampOf } from './mqtt-wire.ts';

const { parser } = createRequire(import.meta.url)('mqtt-packet') as typeof import('mqtt-packet');

function parsed(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  const reader = parser();
  reader.on('packet', (packet: Packet) => packets.push(packet));
  reader.parse(bytes);
  return packets;
}

test('a template writes packets that another implementation reads, each with its own id', () => {
  const packets = parsed(new PublishTemplate('bench/load', 1).stamped(3, 0xffff));
  expect(packets).toMatchObject([0xffff, 1, 2].map((messageId) => ({ cmd: 'publish', topic: 'bench/load', qos: 1, messageId })));
});

test('packets are found however the stream is cut, with their time', () => {
  const stream = Buffer.concat([new PublishTemplate('a/b', 0).stamped(2), new PublishTemplate('x'.repeat(200), 1).stamped(2, 7)]);
  for (let cut = 1; cut < stream.length; cut++) {
    const seen: number[] = [];
    const reader = new PacketReader((type, qos, bytes, _start, end) => {
      expect(type).toBe(PUBLISH);
      expect(delayMs(stampOf(bytes, end))).toBeLessThan(10_000);
      seen.push(qos);
    });
    for (let at = 0; at < stream.length; at += cut) reader.push(stream.subarray(at, at + cut));
    expect(seen).toEqual([0, 0, 1, 1]);
  }
});

test('a PUBACK answers the packet id of its PUBLISH', () => {
  let answer: Buffer | undefined;
  new PacketReader((_type, _qos, bytes, start) => {
    answer = puback(bytes, start);
  }).push(new PublishTemplate('a/b', 1).stamped(1, 0x1234));
  expect(parsed(answer ?? Buffer.alloc(0))).toMatchObject([{ cmd: 'puback', messageId: 0x1234 }]);
});
