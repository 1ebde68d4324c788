import { expect, test } from 'vitest';
import { commands, decodeText, LineReader, MAX_LINE_BYTES, parseLine, quoted, reasonOf } from './protocol.ts';

test.each([
  ['ANS_time_pos=12.345678', { type: 'answer', name: 'time_pos', value: '12.345678' }],
  ['ANS_volume=40.000000', { type: 'answer', name: 'volume', value: '40.000000' }],
  ['ANS_pause=yes', { type: 'answer', name: 'pause', value: 'yes' }],
  ['ANS_metadata/Title=A=B', { type: 'answer', name: 'metadata/Title', value: 'A=B' }],
  ['ANS_ERROR=PROPERTY_UNAVAILABLE', { type: 'error', reason: 'PROPERTY_UNAVAILABLE' }],
  ['ANS_ERROR=PROPERTY_UNKNOWN', { type: 'error', reason: 'PROPERTY_UNKNOWN' }],
  ['Playing /music/EOF code: 1.wav.', { type: 'loading' }],
  ['Starting playback...', { type: 'started' }],
  ['AO: [null] 22050Hz 1ch s16le (2 bytes per sample)', { type: 'output', driver: 'null' }],
  ['EOF code: 1  ', { type: 'eof', reason: 'end' }],
  ['EOF code: 2  ', { type: 'eof', reason: 'replaced' }],
  ['EOF code: 4  ', { type: 'eof', reason: 'stopped' }],
  ["ICY Info: StreamTitle='Miles Davis - So What';StreamUrl='http://x/';", { type: 'stream-title', title: 'Miles Davis - So What' }],
  ["ICY Info: StreamTitle='Don't Stop';", { type: 'stream-title', title: "Don't Stop" }],
  ["ICY Info: StreamTitle='cut at two hundred and fifty-six by", { type: 'stream-title', title: 'cut at two hundred and fifty-six by' }],
  ["ICY Info: StreamTitle='';StreamUrl='';", { type: 'stream-title', title: '' }],
  ['Name   : Radio One', { type: 'station', name: 'Radio One' }],
])('%j is understood', (line, reply) => {
  expect(parseLine(line)).toEqual(reply);
});

test.each(['', 'Audio only file format detected.', "get_path('sub/') -> '/x'", ' EOF code: 1', 'xANS_pause=yes', 'Exiting... (Quit)'])(
  '%j is chatter',
  (line) => {
    expect(parseLine(line)).toBeUndefined();
  },
);

test('titles are read as UTF-8, or as Windows-1252 when they are none', () => {
  expect(decodeText(Buffer.from('Björk', 'utf8'))).toBe('Björk');
  expect(decodeText(Buffer.from('Björk', 'latin1'))).toBe('Björk');
});

test('lines come whole however the bytes are cut', () => {
  const bytes = Buffer.from("ICY Info: StreamTitle='Ü';\r\nANS_pause=no\n");
  for (let cut = 0; cut <= bytes.length; cut++) {
    const lines: string[] = [];
    const reader = new LineReader((line) => lines.push(line));
    reader.push(bytes.subarray(0, cut));
    reader.push(bytes.subarray(cut));
    expect(lines).toEqual(["ICY Info: StreamTitle='Ü';", 'ANS_pause=no']);
  }
});

test('a line without end is dropped, and the next one is read', () => {
  const lines: string[] = [];
  const reader = new LineReader((line) => lines.push(line));
  for (let i = 0; i < 20; i++) reader.push(Buffer.alloc(1000, 0x61));
  reader.push(Buffer.from('tail\nANS_pause=no\n'));
  expect(lines).toEqual(['ANS_pause=no']);
});

test.each([
  [() => commands.load('/music/a b.mp3'), 'loadfile "/music/a b.mp3"\n'],
  [() => commands.load('/music/a"b.mp3'), "loadfile '/music/a\"b.mp3'\n"],
  [() => commands.load(`/music/a"b'c.mp3`), `loadfile "/music/a\\"b'c.mp3"\n`],
  [() => commands.load('/music/a\\b.mp3'), 'loadfile "/music/a\\\\b.mp3"\n'],
  [() => commands.load('# $(touch x) `y` ;|&.mp3'), 'loadfile "# $(touch x) `y` ;|&.mp3"\n'],
  [() => commands.seek(61.5), 'pausing_keep_force seek 61.500 2\n'],
  [() => commands.volume(40), 'pausing_keep_force volume 40 1\n'],
  [() => commands.get('time_pos'), 'pausing_keep_force get_property time_pos\n'],
  [() => commands.togglePause(), 'pause\n'],
])('the line is exactly what the protocol wants: %#', (make, line) => {
  expect(make()).toBe(line);
});

test.each(['a\nrun "touch x"', 'a\rquit', 'a\0b', 'a\tb', 'a\x1b[2J', 'a\u0085b', 'a\u2028b', 'a\ud800b', '', 'ends in \\'])(
  '%j is refused',
  (text) => {
    expect(() => quoted(text)).toThrow(/wanted/);
  },
);

test('a line that mplayer would drop for its length is refused', () => {
  const room = MAX_LINE_BYTES - Buffer.byteLength('loadfile ""\n');
  expect(Buffer.byteLength(commands.load('x'.repeat(room)))).toBe(MAX_LINE_BYTES);
  expect(() => commands.load('x'.repeat(room + 1))).toThrow(/4096 bytes; at most 4095/);
});

test.each([
  [
    ["Couldn't resolve name for AF_INET6: 127.0.0.1", 'connect error: Connection refused', 'Failed, exiting.'],
    'the server refuses the connection',
  ],
  [["File not found: '/x.wav'", 'Failed to open /x.wav.'], 'the file is not there'],
  [['[https @ 0x7f] HTTP error 404 File not found', 'Failed to open https://x/.'], 'the server answers 404 File not found'],
  [["Couldn't resolve name for AF_INET: nowhere.example"], 'nowhere.example is not known to the name server'],
  [[], 'it is no sound that mplayer knows'],
])('stderr %j gives the reason', (stderr, reason) => {
  expect(reasonOf(stderr)).toBe(reason);
});
