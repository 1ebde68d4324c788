import { z } from 'zod';
import { operation } from '../operation.ts';
import { problemSchema } from '../problems.ts';
import { idSchema } from '../things.ts';

/** A backup larger than this in files is none of ours; its list of contents is held in memory. */
export const MAX_BACKUP_FILES = 50_000;
/** Letters, digits and hyphens, as the ids of boxes are; those that `EDGE_ID` gives may be longer. */
const edgeIdSchema = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/);

/** One file of a backup. `path` is below the data directory of the box, with `/` on every system. */
export const backupFileSchema = z.object({
  path: z.string().min(1).max(1024),
  bytes: z.int().min(0),
  mode: z.int().min(0).max(0o777),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type BackupFile = z.infer<typeof backupFileSchema>;

/** What one service gave: its files, in the order in which they follow. `covers` is what a restore replaces, also where there was no file. */
export const backupPartSchema = z.object({
  service: idSchema,
  version: z.string().max(64),
  covers: z.array(z.string().min(1).max(1024)).max(100),
  counts: z.record(z.string(), z.int()),
  files: z.array(backupFileSchema).max(MAX_BACKUP_FILES),
});
export type BackupPart = z.infer<typeof backupPartSchema>;

/** `manifest.json`, the last file of a backup. */
export const backupManifestSchema = z.object({
  version: z.string().max(64).meta({ description: 'of the Ledge that made it' }),
  edge: edgeIdSchema,
  name: z.string().max(64),
  made: z.iso.datetime(),
  parts: z.array(backupPartSchema).max(200),
});
export type BackupManifest = z.infer<typeof backupManifestSchema>;

export const BACKUP_WARNINGS = ['other-box', 'newer-version', 'no-history', 'service-missing', 'left-out'] as const;
const warning = z.object({
  code: z.enum(BACKUP_WARNINGS),
  detail: z.string().meta({ description: 'a sentence' }),
  service: z.string().optional(),
});
export type BackupWarning = z.infer<typeof warning>;

const checkedSchema = z.object({
  id: z.uuid(),
  bytes: z.int().meta({ description: 'of the file' }),
  encrypted: z.boolean(),
  locked: z.boolean().meta({ description: 'it needs its passphrase (unlock) before anything can be said of it' }),
  expires: z.iso.datetime().meta({ description: 'from then on the file is gone' }),
  /** The rest is there when it is not locked. */
  made: z.iso.datetime().optional(),
  edge: z.string().optional(),
  name: z.string().optional().meta({ description: 'what people called the box' }),
  version: z.string().optional(),
  sameBox: z.boolean().optional(),
  parts: z
    .array(
      z.object({
        service: z.string(),
        files: z.int(),
        bytes: z.int(),
        summary: z.string().meta({ description: 'such as "12 things"; empty when there are only settings' }),
        counts: z.record(z.string(), z.int()).meta({ description: 'the same as numbers: things, people, tokens, users, tracks …' }),
      }),
    )
    .optional(),
  warnings: z.array(warning),
});
export type CheckedBackup = z.infer<typeof checkedSchema>;

export const restoreViewSchema = z.object({
  id: z.uuid(),
  state: z.enum(['preparing', 'restarting', 'done', 'failed']).meta({
    description:
      'preparing: nothing is changed yet, and a failure leaves all as it was; restarting: it is decided, and goes on after a power cut',
  }),
  edge: z.string(),
  name: z.string(),
  made: z.iso.datetime(),
  /** Of preparing. */
  doneBytes: z.int(),
  totalBytes: z.int(),
  services: z.array(z.string()).meta({ description: 'that get files from it' }),
  waiting: z.array(z.string()).meta({ description: 'that have not taken them over yet' }),
  signInAgain: z
    .boolean()
    .meta({ description: 'people come from the backup, and sessions are no part of it: sign in as on the day it was made' }),
  problem: problemSchema.optional().meta({ description: 'why it failed' }),
  warnings: z.array(warning),
  ended: z.iso.datetime().optional(),
});
export type RestoreView = z.infer<typeof restoreViewSchema>;

const backupId = z.object({ id: z.uuid() });
const FILE_TYPES = ['application/vnd.ledge.backup', 'application/octet-stream'] as const;
const passphrase = z.string().min(8).max(200).meta({ description: 'nobody can open the file without it, we neither' });

/** The server's: one file with everything, and back. */
export const backupApi = {
  overview: operation({
    method: 'get',
    path: '/backup',
    summary: 'The file that was checked and waits, if any, and the last restore',
    for: 'admin',
    response: z.object({ checked: checkedSchema.nullable(), restore: restoreViewSchema.nullable() }),
  }),
  make: operation({
    method: 'post',
    path: '/backup',
    summary:
      'Make a backup: people, tokens, things, media, settings, history, in one file. The answer is the file; one that breaks off is refused when it is restored',
    for: 'admin',
    body: z.object({
      passphrase: passphrase.optional(),
      history: z.boolean().default(true).meta({ description: 'with what was recorded' }),
    }),
    streams: FILE_TYPES[0],
    problems: ['invalid-value', 'service-away', 'backup-busy'],
  }),
  check: operation({
    method: 'post',
    path: '/backup/check',
    summary:
      'Hand in a backup; it is kept for an hour, checked, and its content told. One at a time: an earlier one is dropped. One with a passphrase is checked by unlock',
    for: 'admin',
    upload: FILE_TYPES,
    response: checkedSchema,
    problems: [
      'backup-damaged',
      'backup-unknown',
      'backup-too-new',
      'backup-busy',
      'payload-too-large',
      'storage-full',
      'unsupported-media-type',
    ],
  }),
  unlock: operation({
    method: 'post',
    path: '/backup/{id}/unlock',
    summary: 'Check a backup that has a passphrase; may be tried again',
    for: 'admin',
    params: backupId,
    body: z.object({ passphrase: z.string().max(200) }),
    response: checkedSchema,
    problems: ['backup-wrong-passphrase', 'backup-damaged', 'backup-busy', 'not-found'],
  }),
  restore: operation({
    method: 'post',
    path: '/backup/{id}/restore',
    summary:
      'Put back what a checked backup holds, all of it or nothing. Answers when it has begun; `GET /backup` tells how it goes. Ends with a restart of all services',
    for: 'admin',
    params: backupId,
    response: restoreViewSchema,
    problems: ['not-found', 'backup-locked', 'backup-busy', 'service-away', 'storage-full'],
  }),
  drop: operation({
    method: 'delete',
    path: '/backup/{id}',
    summary: 'Forget a file that was handed in',
    for: 'admin',
    params: backupId,
    response: z.void(),
    problems: ['not-found', 'backup-busy'],
  }),
} as const;

export const partStateSchema = z.object({
  state: z.enum(['none', 'prepared', 'committed']).meta({ description: 'committed: taken over at the next start' }),
  id: z.uuid().optional(),
});
export type PartState = z.infer<typeof partStateSchema>;

/** Every service's own part. The server asks for these; to people they are of no use, and only admins get through the gateway. */
export const partApi = {
  take: operation({
    method: 'get',
    path: '/backup/part',
    summary: 'What is precious here, as tar; `part.json` at the end describes it (for the server)',
    for: 'admin',
    query: z.object({ history: z.enum(['true', 'false']).default('true') }),
    streams: 'application/x-tar',
  }),
  put: operation({
    method: 'put',
    path: '/backup/part',
    summary: 'Lays a part beside what is there and checks it; `part.json` comes first. Changes nothing (for the server)',
    for: 'admin',
    query: z.object({ id: z.uuid(), from: edgeIdSchema }),
    upload: ['application/x-tar'],
    response: z.object({ files: z.int(), bytes: z.int(), warnings: z.array(warning) }),
    problems: ['backup-damaged', 'backup-refused', 'backup-busy', 'storage-full', 'unsupported-media-type'],
  }),
  commit: operation({
    method: 'post',
    path: '/backup/part/commit',
    summary: 'What was laid beside takes its place at the next start (for the server)',
    for: 'admin',
    query: z.object({ id: z.uuid() }),
    response: z.void(),
    problems: ['not-found'],
  }),
  drop: operation({
    method: 'delete',
    path: '/backup/part',
    summary: 'Drops what was laid beside and not committed (for the server)',
    for: 'admin',
    response: z.void(),
    problems: ['backup-busy'],
  }),
  state: operation({
    method: 'get',
    path: '/backup/part/state',
    summary: 'Does something lie beside, to be taken over? (for the server)',
    for: 'admin',
    response: partStateSchema,
  }),
} as const;
