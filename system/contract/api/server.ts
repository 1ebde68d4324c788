import { z } from 'zod';
import { doctorReportSchema } from '../doctor.ts';
import { boxNameSchema, machineActSchema, machineViewSchema, timeZoneSchema } from '../machine.ts';
import { operation } from '../operation.ts';
import { valueSchema } from '../readings.ts';
import { serviceRecordSchema } from '../registry.ts';
import { idSchema } from '../things.ts';
import { kioskApi } from './kiosk.ts';
import { peopleApi } from './people.ts';

const serviceName = z.object({ name: idSchema });

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
    problems: ['not-found', 'not-supported', 'service-away'],
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

/** What the server answers; people and the display have files of their own. */
export const serverApi = {
  ...peopleApi,
  ...kioskApi,
  health: operation({
    method: 'get',
    path: '/health',
    summary: 'Is the box well? State of each service',
    for: 'public',
    response: serverHealth,
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
  forget: operation({
    method: 'delete',
    path: '/services/{name}',
    summary: 'Take a service of your own off the list that is lost and will not come back',
    for: 'admin',
    params: serviceName,
    response: z.object({ name: z.string() }),
    problems: ['not-found', 'not-supported', 'bus-away'],
  }),
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
    body: z.object({ name: boxNameSchema.optional(), timeZone: timeZoneSchema.optional() }),
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
    problems: ['not-supported', 'service-away', 'too-many-readers'],
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
