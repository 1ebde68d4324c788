import { z } from 'zod';
import { operation } from '../operation.ts';
import { idSchema } from '../things.ts';

export const trackSchema = z.object({
  id: z.string(),
  /** A library path such as `albums/one.mp3`, or an http(s) URL. */
  source: z.string(),
  title: z.string(),
  artist: z.string().optional(),
  album: z.string().optional(),
  durationS: z.number().nullable(),
});
export type Track = z.infer<typeof trackSchema>;

export const mediaStateSchema = z.object({
  state: z.enum(['playing', 'paused', 'stopped', 'connecting']),
  track: trackSchema.nullable(),
  /** What a radio says is playing now. */
  streamTitle: z.string().nullable(),
  positionS: z.number().nullable(),
  durationS: z.number().nullable(),
  volume: z.int().min(0).max(100),
  muted: z.boolean(),
  repeat: z.enum(['off', 'one', 'all']),
  queue: z.array(trackSchema),
  index: z.int().nullable(),
  output: z.string(),
  /** Why there is no sound, for people. */
  fault: z.string().nullable(),
});
export type MediaState = z.infer<typeof mediaStateSchema>;

const source = z
  .string()
  .min(1)
  .max(1024)
  .refine((s) => !/\p{Cc}/u.test(s), 'no control characters are wanted');
const listName = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u, 'a name of letters, digits, spaces, dots and hyphens is wanted');
const control = <const P extends string>(path: P, summary: string) =>
  operation({ method: 'post', path, summary, for: 'admin', response: mediaStateSchema, problems: ['player-missing', 'player-failed'] });
const libraryItem = z.object({
  path: z.string(),
  title: z.string(),
  artist: z.string().optional(),
  album: z.string().optional(),
  durationS: z.number().nullable(),
  bytes: z.int(),
});
export type LibraryItem = z.infer<typeof libraryItem>;

/** A stored radio station. */
export const radioSchema = z.object({
  id: idSchema,
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .refine((s) => !/\p{Cc}/u.test(s), 'no control characters are wanted'),
  url: source.meta({ description: 'http(s) address of the sound itself, not of a playlist' }),
});
export type Radio = z.infer<typeof radioSchema>;

export const mediaApi = {
  state: operation({ method: 'get', path: '/', summary: 'What is playing', for: 'viewer', response: mediaStateSchema }),
  play: operation({
    method: 'post',
    path: '/play',
    summary: 'Play, or go on; `index` jumps to a place in the queue',
    for: 'admin',
    body: z.object({ index: z.int().min(0).optional() }).default({}),
    response: mediaStateSchema,
    problems: ['invalid-value', 'player-missing', 'player-failed'],
  }),
  pause: control('/pause', 'Hold'),
  stop: control('/stop', 'Stop'),
  next: control('/next', 'Next in the queue'),
  previous: control('/previous', 'Previous in the queue'),
  seek: operation({
    method: 'post',
    path: '/seek',
    summary: 'Go to a position',
    for: 'admin',
    body: z.object({ positionS: z.number().min(0) }),
    response: mediaStateSchema,
    problems: ['invalid-value', 'player-failed'],
  }),
  volume: operation({
    method: 'post',
    path: '/volume',
    summary: 'Loudness, 0 to 100',
    for: 'admin',
    body: z.object({ volume: z.int().min(0).max(100) }),
    response: mediaStateSchema,
    problems: ['invalid-value'],
  }),
  mute: operation({
    method: 'post',
    path: '/mute',
    summary: 'Silence, or sound again',
    for: 'admin',
    body: z.object({ muted: z.boolean() }),
    response: mediaStateSchema,
    problems: ['invalid-value'],
  }),
  repeat: operation({
    method: 'post',
    path: '/repeat',
    summary: 'What happens at the end',
    for: 'admin',
    body: z.object({ repeat: z.enum(['off', 'one', 'all']) }),
    response: mediaStateSchema,
    problems: ['invalid-value'],
  }),
  enqueue: operation({
    method: 'post',
    path: '/queue',
    summary: 'Add to the queue',
    for: 'admin',
    body: z.object({ source, title: z.string().max(200).optional(), at: z.int().min(0).optional() }),
    response: mediaStateSchema,
    problems: ['invalid-value', 'not-found'],
  }),
  move: operation({
    method: 'put',
    path: '/queue/{id}',
    summary: 'Move an entry of the queue',
    for: 'admin',
    params: z.object({ id: z.string() }),
    body: z.object({ to: z.int().min(0) }),
    response: mediaStateSchema,
    problems: ['not-found'],
  }),
  dequeue: operation({
    method: 'delete',
    path: '/queue/{id}',
    summary: 'Take an entry out of the queue',
    for: 'admin',
    params: z.object({ id: z.string() }),
    response: mediaStateSchema,
    problems: ['not-found'],
  }),
  clear: operation({ method: 'delete', path: '/queue', summary: 'Empty the queue', for: 'admin', response: mediaStateSchema }),
  library: operation({
    method: 'get',
    path: '/library',
    summary: 'Files in the library, with their tags',
    for: 'viewer',
    response: z.array(libraryItem),
  }),
  upload: operation({
    method: 'put',
    path: '/library/{file}',
    summary: 'Upload a file into the library',
    for: 'admin',
    params: z.object({ file: z.string() }),
    upload: ['audio/*', 'application/octet-stream'],
    response: libraryItem,
    problems: ['invalid-value', 'payload-too-large', 'unsupported-media-type', 'storage-failed'],
  }),
  erase: operation({
    method: 'delete',
    path: '/library/{file}',
    summary: 'Delete a file from the library',
    for: 'admin',
    params: z.object({ file: z.string() }),
    response: z.void(),
    problems: ['not-found'],
  }),
  radios: operation({
    method: 'get',
    path: '/radios',
    summary: 'Stored radio stations, by name',
    for: 'viewer',
    response: z.array(radioSchema),
  }),
  saveRadio: operation({
    method: 'put',
    path: '/radios/{id}',
    summary: 'Store a radio station, or change one',
    for: 'admin',
    params: radioSchema.pick({ id: true }),
    body: radioSchema.omit({ id: true }),
    response: radioSchema,
    problems: ['invalid-value', 'storage-failed'],
  }),
  removeRadio: operation({
    method: 'delete',
    path: '/radios/{id}',
    summary: 'Delete a stored radio station; what plays goes on',
    for: 'admin',
    params: radioSchema.pick({ id: true }),
    response: z.void(),
    problems: ['not-found'],
  }),
  playRadio: operation({
    method: 'post',
    path: '/radios/{id}/play',
    summary: 'Play a station at once; a station that plays gives its place to it, the rest of the queue stays',
    for: 'admin',
    params: radioSchema.pick({ id: true }),
    response: mediaStateSchema,
    problems: ['not-found', 'player-missing', 'player-failed'],
  }),
  playlists: operation({
    method: 'get',
    path: '/playlists',
    summary: 'Stored playlists',
    for: 'viewer',
    response: z.array(z.object({ name: z.string(), tracks: z.int() })),
  }),
  savePlaylist: operation({
    method: 'put',
    path: '/playlists/{name}',
    summary: 'Store the queue under a name',
    for: 'admin',
    params: z.object({ name: listName }),
    response: z.void(),
  }),
  loadPlaylist: operation({
    method: 'post',
    path: '/playlists/{name}/load',
    summary: 'Replace the queue by a stored playlist',
    for: 'admin',
    params: z.object({ name: listName }),
    response: mediaStateSchema,
    problems: ['not-found'],
  }),
  removePlaylist: operation({
    method: 'delete',
    path: '/playlists/{name}',
    summary: 'Delete a stored playlist',
    for: 'admin',
    params: z.object({ name: listName }),
    response: z.void(),
    problems: ['not-found'],
  }),
} as const;
