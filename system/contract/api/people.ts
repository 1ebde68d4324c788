import { z } from 'zod';
import { callerRoleSchema, roleSchema } from '../access.ts';
import { boxNameSchema, timeZoneSchema } from '../machine.ts';
import { operation, pageOf, pageQuery } from '../operation.ts';
import { ID_PATTERN } from '../topics.ts';

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/, 'letters, digits, spaces, dots, hyphens are wanted');
const password = z.string().max(200);

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
  .regex(new RegExp(`^(?:service:${id}|${id}(?:/${id}/${id})?)$`), '<thing>, <thing>/<node>/<property> or service:<name> is wanted');

/** How a person wants the pages to be. */
export const preferencesSchema = z.object({
  language: languageSchema
    .optional()
    .meta({ description: 'left out: that of the box if its owner chose one on the card, else as the browser says' }),
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

/** Who may come in, and what the box keeps of each. */
export const peopleApi = {
  setup: operation({
    method: 'post',
    path: '/setup',
    summary: 'First start: choose the admin password and, if wanted, name, time zone and language; only while there is none',
    for: 'public',
    body: z.object({
      password,
      name: boxNameSchema.optional(),
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
} as const;
