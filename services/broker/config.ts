import { accessRuleSchema } from '@ledge/contract';
import { z } from 'zod';
import { whyNoMosquitto } from './mosquitto/program.ts';

const port = z.int().min(0).max(65_535);
const bytes = (most: number) => z.int().min(1024).max(most);
const KIB = 1024;
const MIB = 1024 * KIB;

/** Settings of the broker, with default, unit and whether a change needs a restart. */
export const brokerSettings = z.object({
  engine: z
    .enum(['aedes', 'mosquitto'])
    // here, so that nobody chooses on the page what would leave the box without a broker
    .superRefine((engine, { addIssue }) => {
      const fault = engine === 'mosquitto' ? whyNoMosquitto() : undefined;
      if (fault) addIssue(fault);
    })
    .default('aedes')
    .meta({ title: 'Engine', description: 'aedes is built in; mosquitto is a program of its own that must be installed', restart: true }),
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .meta({ title: 'Address', description: '127.0.0.1 for this machine only, 0.0.0.0 for the network', restart: true }),
  port: port.default(1883).meta({ title: 'Port', description: 'MQTT over TCP', restart: true }),
  tlsPort: port.default(0).meta({ title: 'TLS port', description: 'MQTT over TLS, usually 8883; 0 is off', restart: true }),
  webSocketPort: port.default(0).meta({ title: 'WebSocket port', description: 'path /mqtt, usually 9001; 0 is off', restart: true }),
  secureWebSocketPort: port
    .default(0)
    .meta({ title: 'Secure WebSocket port', description: 'path /mqtt over TLS, usually 9443; 0 is off', restart: true }),
  certificateFile: z
    .string()
    .default('')
    .meta({ title: 'Certificate', description: 'PEM file; empty: one of our own, made at the first start', restart: true }),
  keyFile: z.string().default('').meta({ title: 'Key', description: 'PEM file that belongs to the certificate', restart: true }),
  allowAnonymous: z
    .boolean()
    .default(false)
    .meta({ title: 'Let in without a user', description: 'clients without a name get the rules below' }),
  anonymousRules: z.array(accessRuleSchema).max(100).default([]).meta({ title: 'Rules for clients without a user' }),
  packetBytes: bytes(64 * MIB)
    .default(MIB)
    .meta({ title: 'Largest packet', description: 'a client that sends more is disconnected', unit: 'B' }),
  connections: z.int().min(10).max(100_000).default(1000).meta({ title: 'Connections' }),
  connectionsPerAddress: z
    .int()
    .min(1)
    .max(100_000)
    .default(100)
    .meta({ title: 'Connections per address', description: 'does not count for this machine itself' }),
  messagesPerSecond: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(20_000)
    .meta({ title: 'Packets per second and client', description: 'who sends more is read more slowly; 0 is no limit', unit: '1/s' }),
  queuedMessages: z
    .int()
    .min(10)
    .max(1_000_000)
    .default(20_000)
    .meta({ title: 'Messages that wait per client', description: 'further ones are dropped and counted' }),
  queuedBytes: bytes(256 * MIB)
    .default(4 * MIB)
    .meta({ title: 'Bytes that wait per client', description: 'further QoS 0 messages are dropped and counted', unit: 'B' }),
  queuedBytesHard: bytes(512 * MIB)
    .default(16 * MIB)
    .meta({ title: 'Bytes at which a slow client is disconnected', unit: 'B' }),
  queuedBytesTotal: bytes(1024 * MIB)
    .default(48 * MIB)
    .meta({ title: 'Bytes that wait for all clients together', unit: 'B' }),
  subscriptionsPerClient: z.int().min(1).max(100_000).default(1000).meta({ title: 'Subscriptions per client' }),
  retainedBytes: bytes(1024 * MIB)
    .default(32 * MIB)
    .meta({
      title: 'Retained messages together',
      description: 'further ones are delivered and not kept, and what was kept for their topics is forgotten',
      unit: 'B',
    }),
  connectTimeoutS: z.int().min(1).max(120).default(10).meta({ title: 'Time to say CONNECT', unit: 's', restart: true }),
  sessionExpiryH: z
    .int()
    .min(0)
    .max(10_000)
    .default(14 * 24)
    .meta({ title: 'Time that a session waits for its client', description: '0 is for ever', unit: 'h' }),
  retainedWriteIntervalS: z
    .int()
    .min(0)
    .max(86_400)
    .default(300)
    .meta({ title: 'A retained topic that changes often is written every', description: 'spares the card', unit: 's' }),
  queueWriteDelayMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(1000)
    .meta({ title: 'Messages of sessions are written after', description: '0: before they are acknowledged', unit: 'ms' }),
});
export type BrokerSettings = z.output<typeof brokerSettings>;
