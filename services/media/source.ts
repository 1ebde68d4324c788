import { Problem, shown } from '@ledge/contract';

const MAX_SEGMENT_BYTES = 200;
const MAX_DEPTH = 8;
const MAX_ADDRESS_CHARS = 2048;
/** What Windows does not take in a name; refused everywhere, so that a library can be carried to another machine. */
const NOT_PORTABLE = /[<>:"|?*\\]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

const HOST = /^[a-z0-9._-]+(?::\d+)?$|^\[[0-9a-f:.]+\](?::\d+)?$/i;

/** Is this an address and no library path? `mf://`, `dvd://`, `file://` and their like are addresses too: they are refused as such. */
export const isAddress = (source: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(source);

/**
 * An http(s) address in its percent-encoded form, which holds no quote, backslash, space or control character.
 * @param field what errors call it
 * @throws Problem `invalid-value` for any other scheme; mplayer would also open devices, image sequences and other people's files.
 */
export function streamAddress(source: string, field = 'source'): string {
  const refuse = (wanted: string) => new Problem('invalid-value', `${field} is ${shown(source)}; ${wanted}`);
  if (/\p{Cc}/u.test(source) || !source.isWellFormed()) throw refuse('an address without control characters is wanted');
  if (!URL.canParse(source)) throw refuse('an address such as http://radio.example/live is wanted');
  const url = new URL(source);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refuse('an http or https address, or the path of a file in the library is wanted');
  // what URL lets through in a host, such as a quote, is in no name that can be looked up
  if (!HOST.test(url.host)) throw refuse('the name or number of a host is wanted');
  url.hash = '';
  const address = url.href.replaceAll('\\', '%5C');
  if (address.length > MAX_ADDRESS_CHARS) throw refuse(`an address of at most ${MAX_ADDRESS_CHARS} characters is wanted`);
  return address;
}

/**
 * A path below the library folder, as its segments. It never leaves the folder and never names a hidden file.
 * @throws Problem `invalid-value`
 */
export function librarySegments(path: string): string[] {
  const refuse = (wanted: string) => new Problem('invalid-value', `file is ${shown(path)}; ${wanted}`);
  if (/[\p{Cc}\u2028\u2029]/u.test(path) || !path.isWellFormed()) throw refuse('a name without control characters is wanted');
  const segments = path.split('/');
  if (segments.length > MAX_DEPTH) throw refuse(`at most ${MAX_DEPTH - 1} folders are wanted`);
  for (const segment of segments) {
    if (segment === '' || segment.startsWith('.'))
      throw refuse('a path such as albums/one.mp3, with no part empty or beginning with a dot, is wanted');
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) throw refuse(`names of at most ${MAX_SEGMENT_BYTES} bytes are wanted`);
  }
  return segments;
}

/** As {@link librarySegments}, for a file that is to be made: its name must do on every system. */
export function newLibrarySegments(path: string): string[] {
  const segments = librarySegments(path.normalize('NFC'));
  if (segments.some((segment) => NOT_PORTABLE.test(segment))) {
    throw new Problem(
      'invalid-value',
      `file is ${shown(path)}; a name without < > : " | ? * \\ and not ending in a dot or space is wanted`,
    );
  }
  return segments;
}
