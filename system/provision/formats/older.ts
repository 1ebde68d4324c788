import { shown } from '@ledge/contract';
import type { Source } from '../source.ts';
import { isTaken, stars } from '../source.ts';
import { countrySchema } from '../values.ts';
import { emptyReading, type Reading } from '../wishes.ts';

/** `userconf.txt` of Raspberry Pi OS: `name:hash` of a Linux account, which Ledge does not make. */
export function readUserconf(source: Source): Reading {
  const reading = emptyReading();
  const [, head = '', hash = ''] = /^([^:\n]*:)([^\r\n]*)/.exec(source.text) ?? [];
  const message = 'no user is made and no password is set: give an SSH key, and sign in over SSH as ledge';
  reading.notes.push({ kind: 'unused', file: source.file, line: 1, message });
  if (hash !== '' && !isTaken(hash)) {
    const patch = source.patch(head.length, head.length + hash.length, stars(hash));
    reading.secrets.push({ file: source.file, wish: 'unused', patch });
  }
  return reading;
}

/** `ssh` or `ssh.txt`, whose being there once switched SSH on. Whether there is a key, the import knows. */
export function readSsh(source: Source): Reading {
  const reading = emptyReading();
  reading.notes.push({
    kind: 'unused',
    file: source.file,
    message: 'SSH is on as soon as there is an SSH key, and only then; this file does nothing',
  });
  return reading;
}

/** `cmdline.txt`: Raspberry Pi Imager leaves the country there. */
export function readCmdline(source: Source): Reading {
  const reading = emptyReading();
  const [, code] = /(?:^|\s)cfg80211\.ieee80211_regdom=(\S+)/.exec(source.text) ?? [];
  if (code === undefined) return reading;
  const result = countrySchema.safeParse(code);
  if (result.success) reading.says.country = { file: source.file, line: 1, value: result.data };
  else
    reading.notes.push({
      kind: 'mistake',
      file: source.file,
      line: 1,
      message: `cfg80211.ieee80211_regdom is ${shown(code)}; ${result.error.issues[0]?.message}`,
    });
  return reading;
}
