import { z } from 'zod';

/** `skipped`: it could not be seen, or does not exist here; never a mistake of the box. */
export const checkStateSchema = z.enum(['ok', 'warning', 'fault', 'skipped']);
export type CheckState = z.infer<typeof checkStateSchema>;

/** One thing that was looked at. Sentences are for people. */
export const checkSchema = z.object({
  name: z.string().meta({ description: 'stable, for programs: `root-read-only`' }),
  title: z.string(),
  state: checkStateSchema,
  seen: z.string().meta({ description: 'what was seen; for `skipped`, why nothing was' }),
  wanted: z.string().optional().meta({ description: 'what was wanted instead' }),
  hint: z.string().optional().meta({ description: 'what to do' }),
});
export type DoctorCheck = z.infer<typeof checkSchema>;

export const doctorReportSchema = z.object({
  state: z.enum(['ok', 'warning', 'fault']).meta({ description: 'the worst of all checks' }),
  time: z.iso.datetime(),
  version: z.string(),
  checks: z.array(checkSchema),
});
export type DoctorReport = z.infer<typeof doctorReportSchema>;
