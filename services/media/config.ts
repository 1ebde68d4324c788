import { z } from 'zod';

/** Settings of the media service. */
export const mediaSettings = z.object({
  output: z
    .string()
    .regex(/^[A-Za-z0-9_:=.,-]{1,64}$/, 'auto, null, a card such as Headphones, or an ALSA name such as hdmi:CARD=vc4hdmi0,DEV=0 is wanted')
    .default('auto')
    .meta({ title: 'Sound output', description: 'auto, null (silence), the id of a sound card, or an ALSA device name' }),
  maxUploadMb: z.int().min(1).max(4096).default(200).meta({ title: 'Largest upload', unit: 'MB' }),
  connectTimeoutS: z
    .int()
    .min(1)
    .max(60)
    .default(8)
    .meta({ title: 'Patience with a station', description: 'how long it may take until it sounds', unit: 's' }),
  savePositionS: z
    .int()
    .min(5)
    .max(3600)
    .default(60)
    .meta({ title: 'Remember the position every', description: 'rarely, for the life of the SD card', unit: 's' }),
  machineRoot: z
    .string()
    .default('/')
    .meta({ title: 'Root of the kernel’s files', description: 'where proc/asound/cards is found', restart: true }),
});
export type MediaSettings = z.output<typeof mediaSettings>;
