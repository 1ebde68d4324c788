import { z } from 'zod';
import { operation } from '../operation.ts';
import { filterFault, topicFault } from '../topics.ts';

const filter = z.string().refine((f) => filterFault(f) === undefined, 'a topic filter such as garden/# is wanted');
const topic = z.string().refine((t) => topicFault(t) === undefined, 'a topic such as garden/pump is wanted, without wildcards');

/** Data of each `message` event: the payload as text, or base64 when it is not UTF-8. */
export interface StreamMessage {
  topic: string;
  payload: string;
  base64?: true;
  retained?: true;
}

/** Names of the events on the stream; `message` is {@link StreamMessage}. */
export const STREAM_EVENTS = {
  message: 'message',
  /** `{ missed: true }`: the gap since Last-Event-ID is older than the buffer; retained values follow. */
  gap: 'gap',
  /** `{ count }`: so many messages were dropped for this reader because it reads too slowly. */
  dropped: 'dropped',
  /** `{ connected }`: whether the broker is there. */
  bus: 'bus',
  /** `{ topic }`: the retained values for the filters have all been said. */
  live: 'live',
} as const;

export const sseApi = {
  stream: operation({
    method: 'get',
    path: '/stream',
    summary: 'Messages as server-sent events: retained values first, then live; Last-Event-ID replays what was missed',
    for: 'viewer',
    query: z.object({
      topic: z
        .union([filter, z.array(filter).min(1).max(50)], '1 to 50 topic filters such as garden/# are wanted')
        .transform((t) => (Array.isArray(t) ? t : [t])),
      lastEventId: z.string().optional().meta({ description: 'as the Last-Event-ID header, for clients that cannot set it' }),
    }),
    streams: 'text/event-stream',
    problems: ['invalid-value', 'not-allowed', 'too-many-readers'],
  }),
  publish: operation({
    method: 'post',
    path: '/publish',
    summary: 'Publish a message',
    for: 'viewer',
    body: z.object({
      topic,
      value: z.unknown().meta({ description: 'text goes as it is, anything else as JSON' }),
      retain: z.boolean().default(false),
      qos: z.literal([0, 1, 2]).default(1),
    }),
    response: z.object({ topic: z.string() }),
    problems: ['invalid-value', 'not-allowed', 'bus-away'],
  }),
} as const;
