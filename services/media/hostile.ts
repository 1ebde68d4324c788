/** Parts of names and addresses that have broken players, shells and parsers. */
const PARTS = [
  '\n',
  '\r',
  '\r\n',
  '\0',
  '\t',
  '\x1b[2J',
  '\x7f',
  '\u0085',
  '\u2028',
  '\u2029',
  '\ud800',
  '\ufeff',
  '\u202e',
  '"',
  "'",
  '\\',
  '\\"',
  "\\'",
  '\\\\',
  '"\\',
  '#',
  ' # ',
  ' ',
  '  ',
  '%0a',
  '%0d',
  '%22',
  '%5c',
  '%00',
  '\nrun "touch /tmp/x"',
  '\nquit',
  '" 1',
  '"\nrun touch x',
  "'; quit",
  '$(touch x)',
  '`touch x`',
  ';touch x',
  '|touch x',
  '&& touch x',
  '-vo',
  '-ao',
  'pcm:file=/tmp/x',
  '--',
  '-',
  'file:///etc/passwd',
  'mf://*.png',
  'dvd://1',
  'cdda://',
  'tv://',
  'ffmpeg://http://x',
  'http://',
  'https://',
  'http://x/',
  '//',
  '../',
  '/etc/passwd',
  '..\\',
  'C:\\',
  '.',
  '..',
  '.mp3',
  '.wav',
  '.m3u',
  'ünï',
  '☃',
  '日本',
  '🎵',
  'é',
  'a',
  'song',
  '?x=1',
  '&y=2',
  'user:pass@',
  ':',
  '[::1]',
  '1'.repeat(100),
  'x'.repeat(5000),
  'é'.repeat(1500),
]; // prettier-ignore

/** mulberry32: the same hostile texts for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function* hostileTexts(count: number, seed: number): Generator<string> {
  const random = seeded(seed);
  const pick = () => PARTS[Math.floor(random() * PARTS.length)] ?? '';
  for (const part of PARTS) yield part;
  for (let i = PARTS.length; i < count; i++) {
    const parts = Array.from({ length: 1 + Math.floor(random() * 5) }, pick);
    if (random() < 0.3) parts.unshift(random() < 0.5 ? 'http://radio.example/' : '/music/');
    yield parts.join('');
  }
}
