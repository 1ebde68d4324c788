import { z } from 'zod';

/** What can be asked of the machine as a whole. */
export const machineActSchema = z.enum(['reboot', 'power-off', 'factory-reset']);
export type MachineAct = z.infer<typeof machineActSchema>;

/** A time zone of the IANA database. Its links and spellings are for the machine to know. */
export const timeZoneSchema = z
  .string()
  .max(64)
  .refine(isTimeZone, 'a time zone such as Europe/Paris or Etc/UTC is wanted')
  .meta({ description: 'IANA time zone, such as `Europe/Paris`' });

function isTimeZone(zone: string): boolean {
  // Intl also takes offsets such as +01:00, which no machine is set to
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const brakesSchema = z.object({
  underVoltage: z.boolean().optional(),
  frequencyCapped: z.boolean().optional(),
  throttled: z.boolean().optional(),
  softTemperatureLimit: z.boolean().optional(),
});

/** What runs here, how it came up and how the machine fares. What a machine does not tell is absent. */
export const machineViewSchema = z.object({
  machine: z.string().meta({ description: 'kind of machine: `rpi`, `docker`, `pc`' }),
  name: z.string().optional().meta({ description: 'what people call this box' }),
  timeZone: z.string().optional(),
  time: z.iso.datetime().optional().meta({ description: "the machine's own time now" }),
  version: z.string(),
  commit: z.string().optional(),
  built: z.string().optional(),
  slot: z.string().optional().meta({ description: 'the slot that runs: `A` or `B`' }),
  slots: z
    .array(
      z.object({
        name: z.string().meta({ description: '`A` or `B`' }),
        running: z.boolean(),
        good: z.boolean().meta({ description: 'false: empty, or given up' }),
        version: z.string().optional(),
      }),
    )
    .optional()
    .meta({ description: 'both copies of the system, as the updater sees them' }),
  reason: z.string().optional().meta({ description: 'why this slot: `normal`, `trial`, `fallback`, `state-lost`, `last-resort`' }),
  data: z.string().optional().meta({ description: 'how the data partition was found: `ok`, `fresh`, `repaired`, `grown`, `rescue`' }),
  uptimeS: z.number().meta({ description: 'since the machine started, where it tells; else since the server did' }),
  bootId: z.string().optional().meta({ description: 'changes with each start of the machine' }),
  model: z.string().optional().meta({ description: 'such as `Raspberry Pi 4 Model B Rev 1.5`' }),
  host: z.string().optional().meta({ description: 'name in the network' }),
  system: z.string().optional().meta({ description: 'operating system and kernel' }),
  memory: z
    .object({ totalBytes: z.number(), availableBytes: z.number() })
    .optional()
    .meta({ description: 'available: what programs can have without swapping' }),
  load: z.number().min(0).optional().meta({ description: 'of the last minute, for each processor: 1 is all of them busy' }),
  temperatureC: z.number().optional().meta({ description: 'of the processor', unit: '°C' }),
  throttled: z
    .object({ now: brakesSchema.optional(), before: brakesSchema.optional() })
    .optional()
    .meta({ description: 'what slows a Raspberry Pi down at this moment, and did so since its start' }),
  disk: z.object({ totalBytes: z.number(), freeBytes: z.number() }).optional().meta({ description: 'where the data directory is' }),
  card: z
    .object({
      name: z.string().optional().meta({ description: 'what the card or disk says it is' }),
      writtenBytesSinceStart: z.number().meta({ description: 'since the machine started' }),
      lifeTime: z.number().optional().meta({ description: 'how much of its life is used up, 0 to 1 in steps of 0.1; only eMMC tells' }),
    })
    .optional()
    .meta({ description: 'the card or disk below the data directory' }),
  clock: z.object({ synchronized: z.boolean().optional().meta({ description: 'has a time server answered since the start' }) }).optional(),
  watchdog: z
    .object({ hardware: z.string().optional(), timeoutS: z.number().optional() })
    .optional()
    .meta({ description: 'the chip that restarts a machine that hangs' }),
  can: z.array(machineActSchema).meta({ description: 'what can be asked of it' }),
});
export type MachineView = z.infer<typeof machineViewSchema>;

/** What people call a box. */
export const boxNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}]*$/u, 'one line of text is wanted')
  .meta({ description: 'what people call this box' });
