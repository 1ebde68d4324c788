import { z } from 'zod';

/** A property's value: what its Homie datatype says, as a JSON value (enum, color, datetime, duration and json as text). */
export type Value = number | boolean | string;
export const valueSchema = z.union([z.number(), z.boolean(), z.string()]);

/**
 * One line of the history stream. `seq` counts up by one for each property: a hole is a loss that can be seen.
 * After a crash it jumps ahead, never back, so no number is used twice.
 */
export const readingSchema = z.object({
  value: valueSchema,
  time: z.iso.datetime().meta({ description: 'when it was measured, RFC 3339 UTC with milliseconds' }),
  seq: z.int().nonnegative(),
  replayed: z.boolean().meta({ description: 'true when it comes late, from the outbox' }),
});
export type Reading = z.infer<typeof readingSchema>;
