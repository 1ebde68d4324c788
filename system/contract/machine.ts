import { z } from 'zod';

/** What can be asked of the machine as a whole. */
export const machineActSchema = z.enum(['reboot', 'power-off', 'factory-reset']);
export type MachineAct = z.infer<typeof machineActSchema>;

/** What runs here and how it came up. Fields that only the card image knows are absent elsewhere. */
export const machineViewSchema = z.object({
  machine: z.string().meta({ description: 'kind of machine: `rpi`, `docker`, `pc`' }),
  version: z.string(),
  commit: z.string().optional(),
  built: z.string().optional(),
  slot: z.string().optional().meta({ description: 'the slot that runs: `A` or `B`' }),
  reason: z.string().optional().meta({ description: 'why this slot: `normal`, `trial`, `fallback`, `state-lost`, `last-resort`' }),
  data: z.string().optional().meta({ description: 'how the data partition was found: `ok`, `fresh`, `repaired`, `grown`, `rescue`' }),
  uptimeS: z.number().meta({ description: 'since the machine started, where it tells; else since the server did' }),
  bootId: z.string().optional().meta({ description: 'changes with each start of the machine' }),
  can: z.array(machineActSchema).meta({ description: 'what can be asked of it' }),
});
export type MachineView = z.infer<typeof machineViewSchema>;
