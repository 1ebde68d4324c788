import { z } from 'zod';
import { operation } from '../operation.ts';

export const healthSchema = z.object({
  state: z.enum(['starting', 'ready', 'degraded', 'stopping']),
  /** Why it is degraded, for people. */
  detail: z.string().optional(),
  version: z.string(),
  uptimeS: z.number(),
});
export type Health = z.infer<typeof healthSchema>;

const settingsView = z.object({
  values: z.record(z.string(), z.unknown()),
  sources: z.record(z.string(), z.enum(['default', 'ledge.yaml', 'settings', 'environment'])),
  schema: z
    .record(z.string(), z.unknown())
    .meta({ description: 'JSON Schema (2020-12) of the values; `restart: true` marks keys that need one' }),
  restartNeeded: z.boolean(),
});
export type SettingsView = z.infer<typeof settingsView>;

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
  metrics: operation({ method: 'get', path: '/metrics', summary: 'Prometheus metrics', for: 'viewer', streams: 'text/plain' }),
} as const;
