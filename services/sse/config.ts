import { z } from 'zod';

/** Settings of the `sse` service, with default, unit and what they are for. */
export const settingsSchema = z.object({
  maxReaders: z
    .int()
    .min(1)
    .max(10_000)
    .default(1000)
    .meta({ title: 'Streams open at once', description: 'one more is refused with too-many-readers' }),
  heartbeatS: z.number().min(1).max(300).default(15).meta({ title: 'Heartbeat', unit: 's', description: 'a comment on a quiet stream' }),
  replayMessages: z.int().min(0).max(1_000_000).default(10_000).meta({ title: 'Messages kept for Last-Event-ID' }),
  replayBytes: z
    .int()
    .min(0)
    .max(256 * 1024 * 1024)
    .default(4 * 1024 * 1024)
    .meta({ title: 'Memory for Last-Event-ID', unit: 'B' }),
  queueMessages: z.int().min(1).max(1_000_000).default(10_000).meta({ title: 'Messages waiting for one slow reader' }),
  queueBytes: z
    .int()
    .min(1024)
    .max(256 * 1024 * 1024)
    .default(2 * 1024 * 1024)
    .meta({
      title: 'Bytes waiting for one slow reader',
      unit: 'B',
      description: 'the oldest are dropped beyond it, and the reader is told',
    }),
  stuckS: z
    .number()
    .min(1)
    .max(3600)
    .default(30)
    .meta({ title: 'Stuck reader', unit: 's', description: 'a reader that takes nothing for so long is closed' }),
  lingerS: z.number().min(0).max(3600).default(60).meta({
    title: 'Keep listening',
    unit: 's',
    description: 'after the last reader of a filter left, so that it can come back without a gap',
  }),
});
export type Settings = ReturnType<typeof settingsSchema.parse>;
