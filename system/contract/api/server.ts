import { z } from 'zod';
import { callerRoleSchema, roleSchema } from '../access.ts';
import { doctorReportSchema } from '../doctor.ts';
import { machineActSchema, machineViewSchema, timeZoneSchema } from '../machine.ts';
import { operation, pageOf, pageQuery } from '../operation.ts';
import { valueSchema } from '../readings.ts';
import { serviceRecordSchema } from '../registry.ts';
import { idSchema } from '../things.ts';
import { ID_PATTERN } from '../topics.ts';

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/, 'letters, digits, spaces, dots, hyphens are wanted');
const password = z.string().max(200);
const boxName = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}]*$/u, 'one line of text is wanted')
  .meta({ description: 'what people call this box' });
const serviceName = z.object({ name: idSchema });

/** Languages of the pages. */
export const languageSchema = z.enum(['en', 'fr']);
export type Language = z.infer<typeof languageSchema>;

export const sessionSchema = z.object({
  user: z.string(),
  role: callerRoleSchema,
  expires: z.iso.datetime(),
});
export type Session = z.infer<typeof sessionSchema>;

/** One browser that is signed in. */
export const sessionEntrySchema = z.object({
  id: z.string().meta({ description: 'names the session; it is not its secret' }),
  user: z.string(),
  created: z.iso.datetime(),
  lastSeen: z.iso.datetime().meta({ description: 'to about 10 minutes' }),
  expires: z.iso.datetime(),
  address: z.string().meta({ description: 'where it was last used from' }),
  agent: z.string().meta({ description: 'what the browser says it is, at most 200 characters' }),
  current: z.boolean().meta({ description: 'is it the one that asks' }),
});
export type SessionEntry = z.infer<typeof sessionEntrySchema>;

const id = ID_PATTERN.source.slice(1, -1);
const dashboardEntry = z
  .string()
  .max(80)
  .regex(new RegExp(`^(?:service:)?${id}$`), 'the id of a thing or service:<name> is wanted');
const hiddenEntry = z
  .string()
  .max(200)
  .regex(new RegExp(`^${id}(?:/${id}/${id})?$`), '<thing> or <thing>/<node>/<property> is wanted');

/** How a person wants the pages to be. */
export const preferencesSchema = z.object({
  language: languageSchema.optional().meta({ description: 'left out: as the browser says' }),
  theme: z.enum(['auto', 'light', 'dark']).default('auto'),
  dashboard: z
    .object({
      groupBy: z.enum(['thing', 'room']).default('thing'),
      order: z.array(dashboardEntry).max(1000).default([]).meta({ description: 'what comes first; the rest follows by name' }),
      hidden: z.array(hiddenEntry).max(5000).default([]),
    })
    .prefault({}),
});
export type Preferences = z.infer<typeof preferencesSchema>;

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

export const serviceViewSchema = serviceRecordSchema.partial().extend({
  name: z.string(),
  /** From the registry and, where the process is gone, from whoever supervises it. */
  state: z.enum(['init', 'ready', 'degraded', 'disconnected', 'lost', 'stopped']),
  detail: z.string().optional(),
  pid: z.int().optional(),
  restarts: z.int().optional(),
  memoryBytes: z.int().optional(),
  memoryLimitBytes: z.int().optional(),
  controllable: z.boolean().meta({ description: 'can it be started and stopped from here' }),
});
export type ServiceView = z.infer<typeof serviceViewSchema>;

const serverHealth = z.object({
  state: z.enum(['starting', 'ready', 'degraded', 'stopping']),
  detail: z.string().optional(),
  version: z.string(),
  uptimeS: z.number(),
  edge: z.string(),
  name: z.string().optional().meta({ description: 'what people call this box' }),
  setupNeeded: z.boolean(),
  services: z.record(z.string(), z.string()),
});

export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: roleSchema,
  created: z.iso.datetime(),
  expires: z.iso.datetime(),
  lastUsed: z.iso.datetime().nullable(),
});
const auditEntry = z.object({
  time: z.iso.datetime(),
  user: z.string(),
  address: z.string(),
  action: z.string(),
  detail: z.string(),
  status: z.int(),
});
/** `value` for raw readings; `mean`, `min`, `max` where several were put together. */
export const historyPointSchema = z.object({
  time: z.iso.datetime(),
  value: valueSchema.optional(),
  seq: z.int().optional(),
  mean: z.number().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  count: z.int().optional(),
});
export type HistoryPoint = z.infer<typeof historyPointSchema>;
const control = <const P extends string>(path: P, summary: string) =>
  operation({
    method: 'post',
    path,
    summary,
    for: 'admin',
    params: serviceName,
    response: z.object({ name: z.string(), state: z.string() }),
    problems: ['not-found', 'service-away'],
  });

const machineAct = <const P extends string>(path: P, summary: string) =>
  operation({
    method: 'post',
    path,
    summary,
    for: 'admin',
    response: z.object({ act: machineActSchema }).meta({ description: 'it was asked for, and happens right after this answer' }),
    problems: ['not-supported', 'not-allowed', 'service-away'],
  });

export const serverApi = {
  health: operation({
    method: 'get',
    path: '/health',
    summary: 'Is the box well? State of each service',
    for: 'public',
    response: serverHealth,
  }),
  setup: operation({
    method: 'post',
    path: '/setup',
    summary: 'First start: choose the admin password and, if wanted, name, time zone and language; only while there is none',
    for: 'public',
    body: z.object({
      password,
      name: boxName.optional(),
      timeZone: timeZoneSchema.optional().meta({ description: 'left as it is where the machine cannot be set' }),
      language: languageSchema.optional(),
    }),
    response: sessionSchema,
    problems: ['setup-done', 'weak-password'],
  }),
  login: operation({
    method: 'post',
    path: '/login',
    summary: 'Sign in; sets the session cookie',
    for: 'public',
    body: z.object({ name, password }),
    response: sessionSchema,
    problems: ['wrong-password', 'too-many-tries', 'setup-needed'],
  }),
  logout: operation({ method: 'post', path: '/logout', summary: 'Sign out', for: 'public', response: z.void() }),
  session: operation({ method: 'get', path: '/session', summary: 'Who am I', for: 'viewer', response: sessionSchema }),
  sessions: operation({
    method: 'get',
    path: '/sessions',
    summary: "Browsers that are signed in: your own, or everybody's for an admin",
    for: 'viewer',
    response: z.array(sessionEntrySchema),
  }),
  endSession: operation({
    method: 'delete',
    path: '/sessions/{id}',
    summary: "End a session of yours, or anybody's for an admin; what it reads ends at once",
    for: 'viewer',
    params: z.object({ id: z.string().max(64) }),
    response: z.void(),
    problems: ['not-found'],
  }),
  preferences: operation({
    method: 'get',
    path: '/preferences',
    summary: 'How you want the pages to be',
    for: 'viewer',
    response: preferencesSchema,
  }),
  changePreferences: operation({
    method: 'put',
    path: '/preferences',
    summary: 'Replace how you want the pages to be',
    for: 'viewer',
    body: preferencesSchema,
    response: preferencesSchema,
    problems: ['invalid-value'],
  }),
  password: operation({
    method: 'put',
    path: '/password',
    summary: 'Change your password; ends your other sessions',
    for: 'viewer',
    body: z.object({ old: password, new: password }),
    response: z.void(),
    problems: ['wrong-password', 'weak-password'],
  }),
  users: operation({
    method: 'get',
    path: '/users',
    summary: 'People',
    for: 'admin',
    response: z.array(z.object({ name: z.string(), role: roleSchema })),
  }),
  addUser: operation({
    method: 'post',
    path: '/users',
    summary: 'Add a person, or change password or role',
    for: 'admin',
    body: z.object({ name, role: roleSchema, password: password.optional() }),
    response: z.object({ name: z.string(), role: roleSchema }),
    problems: ['weak-password', 'invalid-value'],
  }),
  removeUser: operation({
    method: 'delete',
    path: '/users/{name}',
    summary: 'Remove a person; the last admin stays',
    for: 'admin',
    params: z.object({ name }),
    response: z.void(),
    problems: ['not-found', 'not-allowed'],
  }),
  tokens: operation({
    method: 'get',
    path: '/tokens',
    summary: 'API tokens, without their secrets',
    for: 'admin',
    response: z.array(tokenSchema),
  }),
  addToken: operation({
    method: 'post',
    path: '/tokens',
    summary: 'Make an API token; it is shown this once',
    for: 'admin',
    body: z.object({ name, role: roleSchema, expiresInDays: z.int().min(1).max(3650) }),
    response: tokenSchema.extend({ token: z.string() }),
  }),
  removeToken: operation({
    method: 'delete',
    path: '/tokens/{id}',
    summary: 'Revoke a token',
    for: 'admin',
    params: z.object({ id: z.string() }),
    response: z.void(),
    problems: ['not-found'],
  }),
  audit: operation({
    method: 'get',
    path: '/audit',
    summary: 'Who changed what, newest first',
    for: 'admin',
    query: pageQuery,
    response: pageOf(auditEntry),
  }),
  services: operation({
    method: 'get',
    path: '/services',
    summary: 'Every service and its state',
    for: 'viewer',
    response: z.array(serviceViewSchema),
  }),
  restart: control('/services/{name}/restart', 'Restart a service'),
  start: control('/services/{name}/start', 'Start a service'),
  stop: control('/services/{name}/stop', 'Stop a service'),
  machine: operation({
    method: 'get',
    path: '/machine',
    summary: 'The machine: what runs on it and how it came up',
    for: 'viewer',
    response: machineViewSchema,
  }),
  doctor: operation({
    method: 'get',
    path: '/doctor',
    summary: 'Is everything as it should be? Each check with what was seen, what was wanted, and what to do',
    for: 'admin',
    response: doctorReportSchema,
  }),
  diagnosis: operation({
    method: 'get',
    path: '/machine/diagnosis',
    summary: 'A .tar.gz for whoever helps: machine, doctor, services, versions, settings, things, the last log lines; without secrets',
    for: 'admin',
    streams: 'application/gzip',
  }),
  changeIdentity: operation({
    method: 'put',
    path: '/machine/identity',
    summary: "Change the box's name or time zone; the other services take the name at their next start",
    for: 'admin',
    body: z.object({ name: boxName.optional(), timeZone: timeZoneSchema.optional() }),
    response: machineViewSchema,
    problems: ['locked-by-environment', 'not-supported', 'not-allowed', 'invalid-value', 'service-away'],
  }),
  reboot: machineAct('/machine/reboot', 'Restart the machine'),
  powerOff: machineAct('/machine/power-off', 'Switch the machine off'),
  factoryReset: operation({
    ...machineAct('/machine/factory-reset', 'Delete all data and settings, and restart as new'),
    body: z.object({ confirm: z.string().max(64).meta({ description: "the box's id, so that no other box is meant" }) }),
    problems: ['not-supported', 'not-allowed', 'service-away', 'invalid-value'],
  }),
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
  logs: operation({
    method: 'get',
    path: '/logs',
    summary: 'Log lines as server-sent events: the last ones first, then live',
    for: 'admin',
    query: z.object({
      service: idSchema.optional(),
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
      text: z.string().max(200).optional(),
      last: z.coerce.number().int().min(0).max(1000).default(200),
    }),
    streams: 'text/event-stream',
  }),
  history: operation({
    method: 'get',
    path: '/history/{thing}/{node}/{property}',
    summary: 'Readings of a property, put together to at most `points`; raw with their `seq` where `points` is left out',
    for: 'viewer',
    params: z.object({ thing: idSchema, node: idSchema, property: idSchema }),
    query: z.object({
      from: z.iso.datetime({ offset: true }).optional(),
      to: z.iso.datetime({ offset: true }).optional(),
      points: z.coerce.number().int().min(1).max(5000).optional(),
      limit: z.coerce.number().int().min(1).max(100_000).default(10_000),
    }),
    response: z.object({ resolution: z.enum(['raw', 'minute', 'hour', 'auto']), points: z.array(historyPointSchema) }),
    problems: ['not-found'],
  }),
  historyCsv: operation({
    method: 'get',
    path: '/history/{thing}/{node}/{property}/csv',
    summary:
      'The same as a file: `time,value`, or `time,mean,min,max` where only minutes or hours are left; the last day where nothing is said',
    for: 'viewer',
    params: z.object({ thing: idSchema, node: idSchema, property: idSchema }),
    query: z.object({ from: z.iso.datetime({ offset: true }).optional(), to: z.iso.datetime({ offset: true }).optional() }),
    streams: 'text/csv',
    problems: ['not-found', 'invalid-value'],
  }),
} as const;

/** One line of `GET /logs`. `level` is pino's number. */
export interface LogLine {
  time: string;
  service: string;
  level: number;
  message: string;
  fields: Record<string, unknown>;
}
