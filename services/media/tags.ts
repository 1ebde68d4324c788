import { open } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { IAudioMetadata } from 'music-metadata';

/** What a sound file says of itself. */
export interface Tags {
  title: string;
  artist?: string;
  album?: string;
  durationS: number | null;
}

const MAX_TAG_CHARS = 200;
const tidy = (text: string | undefined) =>
  text
    ?.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, MAX_TAG_CHARS) || undefined;

/** The file's own tags, or its name where it has none. Undefined when it holds no sound that is known by its content. */
export async function readTags(file: string, name = basename(file)): Promise<Tags | undefined> {
  const { parseFile } = await import('music-metadata'); // 2 MiB, for boxes with sound files only
  let metadata: IAudioMetadata;
  try {
    metadata = await parseFile(file, { skipCovers: true, duration: false });
  } catch {
    return undefined;
  }
  const { format, common } = metadata;
  if (format.container === undefined || (format.sampleRate === undefined && format.codec === undefined)) return undefined;
  const artist = tidy(common.artist);
  const album = tidy(common.album);
  return {
    title: tidy(common.title) ?? tidy(basename(name, extname(name))) ?? 'Untitled',
    ...(artist ? { artist } : {}),
    ...(album ? { album } : {}),
    durationS: format.duration !== undefined && Number.isFinite(format.duration) ? Math.round(format.duration * 1000) / 1000 : null,
  };
}

/** Puts what was written on the disk itself, so that a rename after it never leaves an empty file at a power cut. */
export async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
