import { expect, test } from 'vitest';
import { journalArguments, parseJournalEntry, readJournal, type StartJournal } from './journal.ts';

const entry = (fields: object) => JSON.stringify({ __CURSOR: 's=1', __REALTIME_TIMESTAMP: '1767225600123456', ...fields });

test('a line of a service is what the service wrote, and the unit says whose it is', () => {
  const MESSAGE = '{"level":40,"time":1767225599000,"service":"liar","thing":"fan","msg":"stuck"}';
  expect(parseJournalEntry(entry({ MESSAGE, PRIORITY: '4', _SYSTEMD_UNIT: 'ledge-device.service' }))).toEqual({
    time: '2025-12-31T23:59:59.000Z',
    service: 'device',
    level: 40,
    message: 'stuck',
    fields: { thing: 'fan' },
  });
});

test.each([
  ['2', 60],
  ['3', 50],
  ['4', 40],
  ['6', 30],
  ['7', 20],
  [undefined, 30],
  ['many', 30],
])('other output has the time of the journal, and priority %s is level %i', (PRIORITY, level) => {
  expect(parseJournalEntry(entry({ MESSAGE: 'Killed', PRIORITY, _SYSTEMD_UNIT: 'ledge-media.service' }))).toEqual({
    time: '2026-01-01T00:00:00.123Z',
    service: 'media',
    level,
    message: 'Killed',
    fields: {},
  });
});

test('what systemd says of a service stands with it', () => {
  const line = {
    MESSAGE: 'ledge-media.service: Watchdog timeout!',
    PRIORITY: '3',
    _SYSTEMD_UNIT: 'init.scope',
    UNIT: 'ledge-media.service',
  };
  expect(parseJournalEntry(entry(line))).toMatchObject({ service: 'media', level: 50, message: line.MESSAGE, fields: { by: 'systemd' } });
});

test('a service cannot write in the name of another', () => {
  const line = { MESSAGE: 'x', _SYSTEMD_UNIT: 'ledge-media.service', UNIT: 'ledge-server.service' };
  expect(parseJournalEntry(entry(line))).toMatchObject({ service: 'media', fields: {} });
});

test('bytes that are no text, and fields given twice, are shown as far as they can be', () => {
  const unit = { _SYSTEMD_UNIT: 'ledge-media.service' };
  expect(parseJournalEntry(entry({ ...unit, MESSAGE: [27, 91, 49, 109, 111, 107] }))?.message).toBe('\u001b[1mok');
  expect(parseJournalEntry(entry({ ...unit, MESSAGE: ['one', 'two'] }))?.message).toBe('one two');
  expect(parseJournalEntry(entry({ ...unit, MESSAGE: null }))?.message).toBe('');
});

test.each(['', '{', '[]', entry({ MESSAGE: 'x', _SYSTEMD_UNIT: 'ssh.service' }), '{"MESSAGE":"x","_SYSTEMD_UNIT":"ledge-a.service"}'])(
  'what is of no service or cannot be read is left out: %s',
  (text) => {
    expect(parseJournalEntry(text)).toBeUndefined();
  },
);

test('journalctl is given whole fields to print, and nothing to interpret', () => {
  expect(journalArguments(['ledge-*.service'], 20)).toEqual(
    expect.arrayContaining(['--all', '--follow', '--lines=20', '--unit=ledge-*.service', '--output=json']),
  );
});

function tape(lines: string[], why = '') {
  const state = { killed: 0 };
  const over = Promise.withResolvers<void>();
  const start: StartJournal = () => ({
    lines: (async function* () {
      yield* lines;
      await over.promise;
    })(),
    ended: over.promise.then(() => why),
    kill() {
      state.killed++;
      over.resolve();
    },
  });
  return { start, state, end: () => over.resolve() };
}
const line = (text: string) => entry({ MESSAGE: text, _SYSTEMD_UNIT: 'ledge-media.service' });

test('reading ends with the signal, and so does journalctl', async () => {
  const { start, state } = tape([line('a'), line('b')]);
  const left = new AbortController();
  const seen: string[] = [];
  for await (const { message } of readJournal({ units: [], last: 2, signal: left.signal }, start)) {
    seen.push(message);
    if (message === 'b') left.abort();
  }
  expect(seen).toEqual(['a', 'b']);
  expect(state.killed).toBeGreaterThan(0);
});

test('a reader who leaves ends journalctl', async () => {
  const { start, state } = tape([line('a')]);
  for await (const _ of readJournal({ units: [], last: 2, signal: new AbortController().signal }, start)) break;
  expect(state.killed).toBe(1);
});

test('a journalctl that dies ends the reading; one that could not read says why', async () => {
  const read = async (why: string) => {
    const { start, end } = tape([line('a')], why);
    const seen: string[] = [];
    for await (const { message } of readJournal({ units: [], last: 2, signal: new AbortController().signal }, start)) {
      seen.push(message);
      end();
    }
    return seen;
  };
  expect(await read('')).toEqual(['a']);
  await expect(read('No journal files were found.')).rejects.toMatchObject({
    code: 'service-away',
    message: expect.stringContaining('No journal files'),
  });
});
