import { z } from 'zod';
import { machineActSchema } from './machine.ts';

const who = z.object({ user: z.string() });
const thing = z.object({ thing: z.string() });
const client = z.object({ client: z.string(), user: z.string().optional(), address: z.string().optional() });

/** Every event that a service of ours says on `<edge>/event/<kind>`, with its payload. One list, for all sides. */
export const EVENTS = {
  'service-ready': z.object({ service: z.string() }),
  'service-lost': z.object({ service: z.string() }),
  'service-restarted': z.object({ service: z.string(), by: z.string() }),
  'machine-stopping': who.extend({ act: machineActSchema }),
  /** The box's own display has not been heard of for so long. */
  'kiosk-silent': z.object({ page: z.string(), silentS: z.number() }),
  'kiosk-seen': z.object({ page: z.string() }),
  'setting-changed': who.extend({ service: z.string(), keys: z.array(z.string()) }),
  'sign-in': who.extend({ address: z.string() }),
  'sign-in-refused': who.extend({ address: z.string(), lockedForS: z.number() }),
  'token-made': who.extend({ token: z.string() }),
  'thing-added': thing,
  'thing-changed': thing,
  'thing-removed': thing,
  'thing-invalid': z.object({ file: z.string(), line: z.number().optional(), key: z.string().optional(), message: z.string() }),
  'sensor-failed': thing.extend({ property: z.string(), message: z.string() }),
  'sensor-recovered': thing.extend({ property: z.string() }),
  'outbox-started': z.object({ reason: z.string() }),
  'outbox-replayed': z.object({ readings: z.number(), dropped: z.number() }),
  'client-refused': client.extend({ reason: z.string() }),
  'client-limited': client.extend({ limit: z.string(), reason: z.string() }),
  'track-started': z.object({ title: z.string() }),
  'player-failed': z.object({ message: z.string() }),
} as const;

/** The last level of an event's topic; see {@link EVENTS}. */
export type EventKind = keyof typeof EVENTS;
/** What an event of a kind tells. */
export type EventPayload<K extends EventKind> = z.infer<(typeof EVENTS)[K]>;
