import { z } from 'zod';
import { operation } from '../operation.ts';
import { ID_PATTERN } from '../topics.ts';

const id = ID_PATTERN.source.slice(1, -1);

/** What the box's own display shows. */
export const kioskSettingsSchema = z.object({
  title: z.string().max(100).default(''),
  tiles: z
    .array(
      z
        .string()
        .max(200)
        .regex(new RegExp(`^${id}/${id}/${id}$`), '<thing>/<node>/<property> is wanted'),
    )
    .max(24)
    .default([])
    .meta({ description: '`<thing>/<node>/<property>`, in order' }),
  dark: z.enum(['auto', 'light', 'dark']).default('auto'),
});
export type KioskSettings = z.infer<typeof kioskSettingsSchema>;

/** What the page on the display says of itself, every few seconds. */
export const kioskHeartbeatSchema = z.object({
  page: z.string().max(200).meta({ description: 'path that is shown' }),
  drawnAgoMs: z.number().min(0).meta({ description: 'since the page was last drawn' }),
  heapBytes: z.number().min(0).optional(),
  online: z.boolean().meta({ description: 'does it get live values' }),
});
export type KioskHeartbeat = z.infer<typeof kioskHeartbeatSchema>;

export const kioskStateSchema = z.object({
  silent: z.boolean().meta({ description: 'it was there, and has not been heard of for a minute' }),
  last: kioskHeartbeatSchema
    .extend({ ageMs: z.number().meta({ description: 'since it was said' }) })
    .optional()
    .meta({ description: 'absent: none was there since the server started' }),
});
export type KioskState = z.infer<typeof kioskStateSchema>;

/** The box's own display: what it shows, and how it fares. */
export const kioskApi = {
  kioskPass: operation({
    method: 'get',
    path: '/kiosk-pass',
    summary: "For the program that shows the box's own display: takes the pass, sets a cookie that may look, and leads to /kiosk",
    for: 'public',
    query: z.object({ pass: z.string().max(200) }),
    streams: 'text/html',
    problems: ['not-allowed'],
  }),
  kiosk: operation({
    method: 'get',
    path: '/kiosk',
    summary: "What the box's own display shows",
    for: 'viewer',
    response: kioskSettingsSchema,
  }),
  changeKiosk: operation({
    method: 'put',
    path: '/kiosk',
    summary: "Replace what the box's own display shows",
    for: 'admin',
    body: kioskSettingsSchema,
    response: kioskSettingsSchema,
    problems: ['invalid-value'],
  }),
  kioskHeartbeat: operation({
    method: 'post',
    path: '/kiosk/heartbeat',
    summary: 'The display says that it is well; from anybody else it is not looked at',
    for: 'viewer',
    body: kioskHeartbeatSchema,
    response: z.void(),
  }),
  kioskState: operation({
    method: 'get',
    path: '/kiosk/state',
    summary: 'What the display said last',
    for: 'viewer',
    response: kioskStateSchema,
  }),
} as const;
