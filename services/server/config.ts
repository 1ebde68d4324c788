import { z } from 'zod';
import { recorderSettingsSchema } from './recorder/index.ts';

/** Settings of the server, `server:` in ledge.yaml; `EDGE_HTTP_PORT` and `EDGE_HOST` are short for the first two. */
export const settingsSchema = z.object({
  port: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8080)
    .meta({ title: 'Port', description: 'of the web UI and the API; 0 takes any free one', restart: true }),
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .meta({ title: 'Address', description: 'to listen on: 127.0.0.1 for this machine only, 0.0.0.0 for the network', restart: true }),
  sessionDays: z.coerce
    .number()
    .int()
    .min(1)
    .max(365)
    .default(30)
    .meta({ title: 'Stay signed in for', unit: 'd', description: 'A session ends when it was not used for so long' }),
  publicMetrics: z
    .boolean()
    .default(false)
    .meta({ title: 'Metrics for everybody', description: 'GET /metrics answers without a sign-in or token' }),
  maxBackupMb: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(16_000)
    .meta({ title: 'Largest backup', unit: 'MB', description: 'that may be handed in for a restore' }),
  ...recorderSettingsSchema.shape,
});
export type ServerSettings = z.output<typeof settingsSchema>;
