import { z } from 'zod';
import { accessRuleSchema } from '../access.ts';
import { operation } from '../operation.ts';

const userName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, dot, hyphen and underscore are wanted');
export const brokerUserSchema = z.object({
  name: userName,
  rules: z.array(accessRuleSchema),
  /** Nobody comes in as this user until its password is set: it never had one, or it is from before mosquitto could check it. */
  needsPassword: z.literal(true).optional(),
});
export type BrokerUser = z.infer<typeof brokerUserSchema>;

export const brokerClientSchema = z.object({
  client: z.string(),
  user: z.string().optional(),
  address: z.string().optional(),
  transport: z.enum(['tcp', 'tls', 'websocket', 'wss']),
  connected: z.boolean(),
  since: z.iso.datetime(),
  /** Why it left last time, for people; undefined when it never left. */
  lastLeft: z.object({ time: z.iso.datetime(), reason: z.string() }).optional(),
  /** These are left out where the engine does not tell them for each client. */
  subscriptions: z.int().optional(),
  queuedMessages: z.int().optional(),
  queuedBytes: z.int().optional(),
  received: z.int().optional(),
  sent: z.int().optional(),
  dropped: z.int().optional(),
});
export type BrokerClient = z.infer<typeof brokerClientSchema>;

export const brokerApi = {
  users: operation({
    method: 'get',
    path: '/users',
    summary: 'MQTT users and their rules',
    for: 'admin',
    response: z.array(brokerUserSchema),
  }),
  addUser: operation({
    method: 'post',
    path: '/users',
    summary: 'Add an MQTT user, or change one: a field that is left out stays',
    for: 'admin',
    body: z.object({
      name: userName,
      password: z
        .string()
        .min(8, '8 characters or more are wanted')
        .max(200)
        .refine((password) => !password.includes('\0'), 'a password without zero characters is wanted')
        .optional(),
      rules: z.array(accessRuleSchema).max(100).optional(),
    }),
    response: brokerUserSchema,
    problems: ['invalid-value'],
  }),
  removeUser: operation({
    method: 'delete',
    path: '/users/{name}',
    summary: 'Remove an MQTT user; its clients are disconnected',
    for: 'admin',
    params: z.object({ name: userName }),
    response: z.void(),
    problems: ['not-found'],
  }),
  clients: operation({
    method: 'get',
    path: '/clients',
    summary: 'MQTT clients, and why the ones that left did',
    for: 'admin',
    response: z.array(brokerClientSchema),
  }),
  disconnect: operation({
    method: 'delete',
    path: '/clients/{client}',
    summary: 'Disconnect a client',
    for: 'admin',
    params: z.object({ client: z.string() }),
    response: z.void(),
    problems: ['not-found'],
  }),
  counters: operation({
    method: 'get',
    path: '/counters',
    summary: "The broker's counters, named as below $SYS/broker",
    for: 'viewer',
    response: z.record(z.string(), z.union([z.number(), z.string()])),
  }),
} as const;
