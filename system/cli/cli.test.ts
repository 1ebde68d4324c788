import { expect, test } from 'vitest';
import { COMMANDS } from './commands.ts';
import { CliError, EXIT } from './error.ts';
import { ledge, serverAt } from './test-tools.ts';
import { dataOf } from './world.ts';

const answering = { http: serverAt('socket') };
const longest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

test('without a command it is the status, on one screen of 80 columns', async () => {
  const { code, out } = await ledge('', answering);
  expect(code).toBe(EXIT.done);
  expect(out).toBe(
    [
      'Barn (ledge-a1b2c3d4)',
      'Version   0.1.0 (abc1234), slot A',
      'Page      http://ledge-a1b2.local/ http://192.168.1.20/',
      'Started   1 d 1 h ago',
      '',
      'SERVICE  STATE  SINCE             MEMORY  RESTARTS',
      ...['broker', 'device', 'media', 'server', 'sse'].map((name) => `${name.padEnd(7)}  ready  1 d 1 h  41 MB of 256 MB         0`),
      '',
      'Doctor    34 ok, 1 skipped',
    ].join('\n'),
  );
  expect((await ledge('status', answering)).out).toBe(out);
});

test('the status tells what is wrong, and stays within 80 columns', async () => {
  const { code, out } = await ledge('status', {
    http: serverAt('socket', { health: { setupNeeded: true, services: { media: 'degraded' } } }),
    box: {
      files: {
        '/sys/class/thermal/thermal_zone0/temp': '89000\n',
        '/run/ledge-boot.env': 'SLOT=B\nREASON=fallback\n',
        '/var/lib/ledge/system/import-report.json': `{"notes":[{"kind":"mistake","file":"ledge.yaml","line":3,"message":"${'wifi.key is too short, '.repeat(6)}"}]}`,
      },
      programs: {
        units: {
          'ledge-sse.service': { ActiveState: 'failed', SubState: 'failed', Result: 'oom-kill' },
          'ledge-device.service': { ActiveState: 'activating', SubState: 'auto-restart', NRestarts: '12' },
        },
      },
    },
  });
  expect(code).toBe(EXIT.done);
  expect(out).toContain('slot B (fallback)');
  expect(out).toContain('open it in a browser, and choose a password');
  expect(out).toMatch(/^media +degraded/m);
  expect(out).toMatch(/^sse +failed \(oom-kill\)/m);
  expect(out).toMatch(/^device +waiting/m);
  expect(out).toContain('1 mistake in the files on the card');
  expect(out).toContain('ledge.yaml:3: wifi.key is too short');
  expect(out).toMatch(/^fault +Temperature: 89 °C$/m);
  expect(longest(out)).toBeLessThanOrEqual(80);
});

test('the status does without a server, and without services', async () => {
  const silent = await ledge('status');
  expect(silent.out).toContain('ledge-a1b2c3d4\n');
  expect(silent.out).toContain('Page      the server does not answer');
  expect(silent.out).toMatch(/^broker +running/m);
  const away = await ledge('status', {
    services: {
      list: async () => Promise.reject(new CliError(EXIT.away, 'Ledge does not run here.')),
      restart: async () => {},
      async *logs() {},
    },
  });
  expect(away).toMatchObject({ code: EXIT.away, out: expect.stringContaining('Services  Ledge does not run here.') });
});

test('whoever may not open the socket of the server learns its page from its port', async () => {
  expect((await ledge('status', { http: serverAt(8080) })).out).toContain('http://ledge-a1b2.local:8080/');
  const other = await ledge('status', { http: serverAt(80, { health: { edge: 'ledge-00000000' } }) });
  expect(other.out).toContain('the server does not answer');
  expect((await ledge('status', { http: serverAt('socket', { settings: { port: 8081, host: '127.0.0.1' } }) })).out).toContain(
    'Page      http://localhost:8081/',
  );
});

test('a box without an address says so', async () => {
  const { out } = await ledge('status', {
    ...answering,
    box: { addresses: () => [{ interface: 'lo', address: '127.0.0.1', internal: true }] },
  });
  expect(out).toContain('Page      no address yet: connect a cable, or Wi-Fi');
});

test('the status is there for programs too', async () => {
  const { out } = await ledge('status --json', answering);
  expect(JSON.parse(out)).toMatchObject({
    id: 'ledge-a1b2c3d4',
    name: 'Barn',
    slot: 'A',
    services: expect.arrayContaining([expect.objectContaining({ name: 'sse', state: 'ready', restarts: 0 })]),
    doctor: { state: 'ok' },
  });
});

test('the doctor ends with 1 only for a fault', async () => {
  const fine = await ledge('doctor');
  expect(fine).toMatchObject({ code: EXIT.done, out: expect.stringMatching(/^34 ok, 1 skipped$/m) });
  expect(longest(fine.out)).toBeLessThanOrEqual(80);
  const warm = await ledge('doctor', { box: { files: { '/sys/class/thermal/thermal_zone0/temp': '82000\n' } } });
  expect(warm.code).toBe(EXIT.done);
  expect(warm.out).toContain('1 warning, 33 ok, 1 skipped');
  const hot = await ledge('doctor', { box: { files: { '/sys/class/thermal/thermal_zone0/temp': '89000\n' } } });
  expect(hot.code).toBe(EXIT.failed);
  expect(hot.out).toContain('fault    Temperature             89 °C\n         wanted:                 below 80 °C');
  const { code, out } = await ledge('doctor --json', { box: { files: { '/sys/class/thermal/thermal_zone0/temp': '89000\n' } } });
  expect(code).toBe(EXIT.failed);
  expect(JSON.parse(out)).toMatchObject({ state: 'fault', version: '0.1.0' });
});

test('on a PC the checks of the card are one line', async () => {
  const { out } = await ledge('doctor', { box: { files: { '/usr/lib/ledge/release.json': undefined } } });
  expect(out.match(/only the card image/g)).toHaveLength(1);
});

test('colours are only for terminals', async () => {
  expect((await ledge('doctor')).out).not.toContain('\x1b');
  expect((await ledge('doctor', { colour: true })).out).toContain('\x1b[32mok');
});

const entry = (fields: object) => JSON.stringify({ __REALTIME_TIMESTAMP: '1767225600000000', ...fields });

test('log lines are told in words, whoever speaks', async () => {
  const { code, out, commands } = await ledge('logs', {
    journal: [
      entry({
        _SYSTEMD_UNIT: 'ledge-device.service',
        MESSAGE: '{"level":30,"time":1767225600000,"service":"device","thing":"fan","msg":"on"}',
      }),
      entry({ _SYSTEMD_UNIT: 'init.scope', UNIT: 'ledge-media.service', PRIORITY: '4', MESSAGE: 'Main process exited' }),
      entry({ _SYSTEMD_UNIT: 'ledge-sse.service', PRIORITY: '3', MESSAGE: [27, 91, 50, 74] }),
      '-- No entries --',
    ],
  });
  expect(code).toBe(EXIT.done);
  expect(out.split('\n')).toEqual([
    '00:00:00 device     info  on  thing=fan',
    '00:00:00 media      warn  Main process exited',
    '00:00:00 sse        ERROR ·[2J',
  ]);
  expect(commands[0]).toContain('--lines=50 --unit=ledge-*.service');
  expect(commands[0]).not.toContain('--follow');
});

test.each([
  ['logs media', '--lines=50 --unit=ledge-media.service'],
  ['logs -n 5', '--lines=5 --unit=ledge-*.service'],
  ['logs -f sse -n 0', '--lines=0 --follow --unit=ledge-sse.service'],
  ['logs --lines 7 --follow', '--lines=7 --follow --unit=ledge-*.service'],
])('ledge %s asks the journal with %s', async (line, args) => {
  expect((await ledge(line)).commands[0]).toContain(args);
});

test.each([
  ['frob', /no command "frob"; there are status, doctor/],
  ['__proto__', /no command/],
  ['logs -n x', /-n is "x"; a number/],
  ['logs -n -5', /see ledge help logs/],
  ['logs ../x', /"..\/x" is no name of a service/],
  ['logs media sse', /"sse" is too much/],
  ['logs --unit=x', /Unknown option '--unit'/],
  ['restart', /Which service/],
  ['restart Media', /no name of a service/],
  ['status x', /"x" is too much/],
  ['help frob', /no command "frob"/],
  ['--frob', /Unknown option '--frob'/],
])('ledge %s is not understood, and it is said why', async (line, why) => {
  const { code, out, error, commands } = await ledge(line);
  expect(code).toBe(EXIT.usage);
  expect(error).toMatch(/^ledge: /);
  expect(error).toMatch(why);
  expect(out).toBe('');
  expect(commands).toEqual([]);
});

test('a service is restarted by systemd', async () => {
  const { code, out, commands } = await ledge('restart media');
  expect(code).toBe(EXIT.done);
  expect(out).toBe('media was restarted.');
  expect(commands).toEqual(['systemctl restart -- ledge-media.service']);
});

test('a service that does not exist is told with those that do', async () => {
  const { code, error, commands } = await ledge('restart ghost', {
    box: { programs: { units: { 'ledge-ghost.service': { LoadState: 'not-found' } } } },
  });
  expect(code).toBe(EXIT.usage);
  expect(error).toContain('there are broker, device, media, server, sse');
  expect(commands).toEqual([]);
});

test('what is refused, and what fails, is told with a code of its own', async () => {
  const says = (stderr: string) => ({ systemctl: () => ({ code: 1, stdout: '', stderr }) });
  expect(await ledge('restart media', says('Failed to restart ledge-media.service: Access denied\n'))).toMatchObject({
    code: EXIT.denied,
    error: 'ledge: media was not restarted: Failed to restart ledge-media.service: Access denied',
  });
  expect((await ledge('reboot', says('Interactive authentication required.'))).code).toBe(EXIT.denied);
  expect((await ledge('restart media', says('Job for ledge-media.service failed.'))).code).toBe(EXIT.failed);
});

test('the box restarts and switches off', async () => {
  expect((await ledge('reboot')).commands).toEqual(['systemctl reboot']);
  expect((await ledge('power-off')).commands).toEqual(['systemctl poweroff']);
});

test('a reset wants the id of the box', async () => {
  const done = await ledge('reset', { types: 'ledge-a1b2c3d4' });
  expect(done).toMatchObject({ code: EXIT.done, commands: ['systemctl start --no-block -- ledge-reset.service'] });
  expect(done.out).toContain('Type ledge-a1b2c3d4 to go on: ');
  for (const types of ['', 'yes', 'ledge-00000000']) {
    expect(await ledge('reset', { types })).toMatchObject({
      code: EXIT.failed,
      commands: [],
      out: expect.stringContaining('Nothing was done.'),
    });
  }
});

test('a reset without a person wants a word that cannot be typed by chance', async () => {
  expect(await ledge('reset')).toMatchObject({ code: EXIT.usage, commands: [], error: expect.stringContaining('--yes-delete-everything') });
  expect((await ledge('reset --yes')).code).toBe(EXIT.usage);
  expect((await ledge('reset --yes-delete-everything')).commands).toEqual(['systemctl start --no-block -- ledge-reset.service']);
});

test.each(['reboot', 'power-off', 'reset --yes-delete-everything'])('on a PC ledge %s does nothing', async (line) => {
  const { code, commands } = await ledge(line, { box: { files: { '/usr/lib/ledge/release.json': undefined } } });
  expect(code).toBe(EXIT.unsupported);
  expect(commands).toEqual([]);
});

test('the version is the one of the image', async () => {
  expect((await ledge('version')).out).toBe(`Ledge 0.1.0 (abc1234), for rpi, built 2026-11-24T05:00:00Z, Node ${process.versions.node}`);
  const release = {
    ...{ version: '0.1.0', machine: 'rpi' },
    project: { name: 'weather-station', version: '1.2.0', commit: 'def56789abc', services: ['irrigation'] },
  };
  const withProject = { box: { files: { '/usr/lib/ledge/release.json': JSON.stringify(release) } } };
  expect((await ledge('version', withProject)).out).toMatch(/^Ledge 0\.1\.0, .*\nweather-station 1\.2\.0 \(def5678\)$/);
  expect((await ledge('status', withProject)).out).toMatch(/^Project +weather-station 1\.2\.0 \(def5678\)$/m);
  expect((await ledge('--version', { box: { files: { '/usr/lib/ledge/release.json': undefined } } })).out).toMatch(/^Ledge 0\.1\.0, Node/);
});

test('help tells every command, and fits an 80-column line', async () => {
  const { out } = await ledge('help');
  for (const name of Object.keys(COMMANDS)) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
  expect(longest(out)).toBeLessThanOrEqual(80);
  expect((await ledge('--help')).out).toBe(out);
  for (const name of Object.keys(COMMANDS)) {
    const one = await ledge(`help ${name}`);
    expect(one.out).toContain(`ledge ${name === 'status' ? '[status]' : name}`);
    expect(longest(one.out)).toBeLessThanOrEqual(80);
    expect((await ledge(`${name} --help`)).out).toBe(one.out);
  }
});

test('the box of the card is found without being told', () => {
  expect(dataOf({}, () => true)).toMatchObject({ root: '/var/lib/ledge' });
  expect(dataOf({}, () => true).socketPath('server')).toBe('/run/ledge/server.sock');
  expect(dataOf({ EDGE_DATA: '/x', EDGE_RUN: '/y' }, () => true).socketPath('server')).toBe('/y/server.sock');
  expect(dataOf({ XDG_DATA_HOME: '/home/a' }, () => false).root).toBe('/home/a/ledge');
});

test('an error inside is told in one line', async () => {
  const broken = {
    services: {
      list: async () => [],
      restart: async () => {
        throw new TypeError('x is undefined');
      },
      async *logs() {},
    },
  };
  expect(await ledge('restart media', broken)).toMatchObject({
    code: EXIT.failed,
    error: 'ledge: something went wrong inside: x is undefined',
  });
});
