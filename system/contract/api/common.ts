import { z } from 'zod';
import { operation } from '../operation.ts';

export const healthSchema = z.object({
  state: z.enum(['starting', 'ready', 'degraded', 'stopping']),
  /** Why it is degraded, for people. */
  detail: z.string().optional(),
  version: z.string(),
  uptimeS: z.number(),
  instance: z.string().optional().meta({ description: 'of this very process, as in its registry record' }),
});
export type Health = z.infer<typeof healthSchema>;

const settingsView = z.object({
  values: z.record(z.string(), z.unknown()),
  sources: z.record(z.string(), z.enum(['default', 'project', 'ledge.yaml', 'settings', 'environment'])),
  schema: z.record(z.string(), z.unknown()).meta({
    description:
      'JSON Schema (2020-12) of the values; `restart: true` marks keys that need one, `writeOnly: true` those that are never told',
  }),
  restartNeeded: z.boolean(),
});
export type SettingsView = z.infer<typeof settingsView>;

/** Something that can be done by a button: `POST /actions/<name>`. */
export const actionViewSchema = z.object({
  name: z.string(),
  title: z.string(),
  confirm: z.string().optional().meta({ description: 'asked before it runs, when it cannot be taken back' }),
  input: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: 'JSON Schema (2020-12) of the body, to draw a form from; absent when it takes none' }),
});
export type ActionView = z.infer<typeof actionViewSchema>;
/** What an action answers. */
export const actionResultSchema = z.object({ result: z.unknown().optional() });

/** What every service answers without writing it. */
export const commonApi = {
  health: operation({ method: 'get', path: '/health', summary: 'Is it well?', for: 'public', response: healthSchema }),
  openapi: operation({
    method: 'get',
    path: '/openapi.json',
    summary: 'OpenAPI 3.1 document of this service',
    for: 'public',
    response: z.record(z.string(), z.unknown()),
  }),
  settings: operation({
    method: 'get',
    path: '/settings',
    summary: 'Settings, where each comes from, and their schema',
    for: 'viewer',
    response: settingsView,
  }),
  changeSettings: operation({
    method: 'put',
    path: '/settings',
    summary: 'Change some settings; keys that are left out stay as they are, null brings the default back',
    for: 'admin',
    body: z.record(z.string(), z.unknown()),
    response: settingsView,
    problems: ['invalid-value', 'locked-by-environment'],
  }),
  actions: operation({
    method: 'get',
    path: '/actions',
    summary: 'What can be done by a button, each by `POST /actions/<name>`',
    for: 'viewer',
    response: z.array(actionViewSchema),
  }),
  metrics: operation({ method: 'get', path: '/metrics', summary: 'Prometheus metrics', for: 'viewer', streams: 'text/plain' }),
} as const;
