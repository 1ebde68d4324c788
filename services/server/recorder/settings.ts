import { z } from 'zod';

/** Settings of the recorder; the server's own schema takes these keys over, prefixed or not, with their meta. */
export const recorderSettingsSchema = z.object({
  rawDays: z.coerce
    .number()
    .int()
    .min(1)
    .max(366)
    .default(7)
    .meta({ title: 'Keep every reading for', unit: 'd', description: 'Single readings with their time to the millisecond' }),
  minuteDays: z.coerce
    .number()
    .int()
    .min(1)
    .max(3660)
    .default(60)
    .meta({ title: 'Keep minutes for', unit: 'd', description: 'Smallest, largest and mean value of each minute' }),
  hourDays: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_600)
    .default(730)
    .meta({ title: 'Keep hours for', unit: 'd', description: 'Smallest, largest and mean value of each hour' }),
  maxHistoryMb: z.coerce.number().int().min(16).max(1_000_000).default(2000).meta({
    title: 'Largest history',
    unit: 'MB',
    description: 'When it is larger, the oldest single readings go first, then the oldest minutes',
  }),
});
export type RecorderSettings = z.output<typeof recorderSettingsSchema>;
