import { z } from 'zod';

/** Settings of the device service: section `device:` of ledge.yaml, `EDGE_DEVICE_…`, or the admin page. */
export const deviceSettings = z.object({
  commandTimeoutMs: z
    .number()
    .int()
    .min(100)
    .max(300_000)
    .default(5000)
    .meta({ title: 'Time for a command', description: 'A thing that has not answered by then has timed out', unit: 'ms' }),
  readTimeoutMs: z.number().int().min(100).max(300_000).default(5000).meta({
    title: 'Time for a reading',
    description: 'A sensor that has not answered by then has failed, and is asked again later',
    unit: 'ms',
  }),
  rescanMs: z.number().int().min(500).max(3_600_000).default(10_000).meta({
    title: 'Look for changed thing files every',
    description: 'A net below the notification of the file system',
    unit: 'ms',
    restart: true,
  }),
  outboxMaxReadings: z.number().int().min(1000).max(100_000_000).default(10_000_000).meta({
    title: 'Readings kept while the broker is away',
    description: 'The oldest go first. 10 million are a day at 115 readings a second, about 300 MB',
    unit: 'readings',
  }),
  outboxFlushMs: z.number().int().min(100).max(60_000).default(1000).meta({
    title: 'Write kept readings to disk every',
    description: 'So much is lost at most when the power goes while the broker is away',
    unit: 'ms',
    restart: true,
  }),
  homeAssistant: z
    .boolean()
    .default(true)
    .meta({ title: 'Home Assistant', description: 'Say each thing on the discovery topics of Home Assistant', restart: true }),
  homeAssistantPrefix: z
    .string()
    .regex(/^[^+#\s]+$/, 'a topic such as homeassistant is wanted, without wildcards')
    .default('homeassistant')
    .meta({ title: 'Discovery prefix of Home Assistant', restart: true }),
});
export type DeviceSettings = z.output<typeof deviceSettings>;
