import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OUR_PLANS } from '@ledge/supervisor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const here = import.meta.dirname;
const card = join(here, '..', '..', 'overlays', 'rpi');
const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const asRoot = process.getuid?.() === 0;

/** Worst is 10; systemd's own services are between 2 and 9. */
const EXPOSURE_LIMIT = 2;

describe.skipIf(!has('systemd-analyze'))('systemd (needs: systemd)', () => {
  test.each(OUR_PLANS.map(({ name }) => name))('%s is shut in: its exposure is at most 2', (name) => {
    const { stdout, stderr } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', `ledge-${name}.service`], {
      env: { ...process.env, SYSTEMD_UNIT_PATH: here },
      encoding: 'utf8',
    });
    const exposure = Number(/exposure level for .*: ([\d.]+)/.exec(stdout)?.[1]);
    expect(exposure, stderr).toBeGreaterThan(0);
    expect(exposure).toBeLessThanOrEqual(EXPOSURE_LIMIT);
  });
});

describe.skipIf(!has('systemd-sysusers') || !has('systemd-tmpfiles') || !asRoot)('users and folders (needs: systemd, root)', () => {
  const root = mkdtempSync(join(tmpdir(), 'ledge-root-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const users = new Map<string, number>();
  const groups = new Map<string, number>();
  const mode = (path: string) => {
    const { uid, gid, mode } = lstatSync(join(root, path));
    return [(mode & 0o7777).toString(8).padStart(4, '0'), uid, gid];
  };
  const is = (rights: string, user: string, group: string) => [rights, users.get(user), groups.get(group)];

  beforeAll(() => {
    for (const folder of ['etc', 'usr/lib', 'etc/skel', 'run', 'var/lib', 'tmp']) mkdirSync(join(root, folder), { recursive: true });
    cpSync(join(card, 'usr/lib/sysusers.d'), join(root, 'usr/lib/sysusers.d'), { recursive: true });
    cpSync(join(card, 'usr/lib/tmpfiles.d'), join(root, 'usr/lib/tmpfiles.d'), { recursive: true });
    // what Debian's packages have made before
    writeFileSync(
      join(root, 'usr/lib/sysusers.d/debian.conf'),
      'g systemd-journal\ng audio\ng dialout\ng video\ng root 0\nu root 0\nu mosquitto\nu polkitd\n',
    );
    const run = (...words: [string, ...string[]]) => {
      const { status, stderr } = spawnSync(words[0], words.slice(1), { encoding: 'utf8' });
      expect(status, stderr).toBe(0);
    };
    run('systemd-sysusers', `--root=${root}`);
    run('systemd-tmpfiles', `--root=${root}`, '--create', 'ledge.conf');
    chmodSync(root, 0o755);
    for (const [file, ids] of [
      ['passwd', users],
      ['group', groups],
    ] as const)
      for (const [, name = '', id] of readFileSync(join(root, 'etc', file), 'utf8').matchAll(/^([^:]+):[^:]*:(\d+)/gm))
        ids.set(name, Number(id));
  });

  test('users have the numbers that files on older cards bear', () => {
    expect(Object.fromEntries([...groups, ...users])).toMatchObject({
      ...{ 'ledge-broker': 821, 'ledge-device': 822, 'ledge-sse': 823, 'ledge-media': 824, 'ledge-server': 825, 'ledge-setup': 826 },
      ...{ gpio: 830, i2c: 831, spi: 832 },
    });
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(/^ledge:x:1000:820:.*:\/var\/home\/ledge:\/bin\/bash$/m);
    expect(readFileSync(join(root, 'etc/group'), 'utf8')).toMatch(/^ledge:x:820:/m);
  });

  test('nobody has a password', () => {
    const hashes = [...readFileSync(join(root, 'etc/shadow'), 'utf8').matchAll(/^([^:]+):([^:]*):/gm)];
    expect(hashes.length).toBeGreaterThan(7);
    for (const [, name, hash] of hashes) expect(hash, name).toMatch(/^[!*]/);
  });

  test('each folder belongs to whom it is for', () => {
    expect(mode('var/lib/ledge')).toEqual(['0750', 0, 820]);
    expect(mode('var/lib/ledge/settings')).toEqual(is('3770', 'ledge-setup', 'ledge'));
    expect(mode('var/lib/ledge/secrets')).toEqual(is('1771', 'root', 'ledge-broker'));
    expect(mode('var/lib/ledge/secrets/mqtt')).toEqual(is('0751', 'root', 'ledge-broker'));
    expect(mode('var/lib/ledge/server')).toEqual(is('0700', 'ledge-server', 'ledge-server'));
    expect(mode('var/lib/ledge/things')).toEqual(is('2770', 'ledge-device', 'ledge-device'));
    expect(mode('var/lib/ledge/system')).toEqual(is('3775', 'ledge-setup', 'ledge-server'));
    expect(mode('run/ledge')).toEqual(is('3770', 'root', 'ledge-server'));
  });

  /** Runs a line of shell as one of the card's users, groups included. */
  const as = (user: string, line: string) => {
    const memberOf = [...readFileSync(join(root, 'etc/group'), 'utf8').matchAll(/^([^:]+):x:(\d+):(.*)$/gm)]
      .filter(([, name, , members = '']) => name === user || members.split(',').includes(user))
      .map(([, , id]) => id);
    const id = users.get(user) ?? -1;
    return (
      spawnSync(
        'setpriv',
        [`--reuid=${id}`, `--regid=${user === 'ledge' ? 820 : id}`, `--groups=${memberOf.join(',')}`, 'sh', '-c', line],
        {
          cwd: root,
        },
      ).status === 0
    );
  };

  test.skipIf(!has('setpriv'))('each service makes a socket, which the server may use and the others may not', () => {
    // a file has the same rights as a socket, and sh can make it
    const make = (name: string) => `umask 117; : >run/ledge/${name}.sock`;
    for (const name of ['broker', 'device', 'sse', 'media', 'server']) expect(as(`ledge-${name}`, make(name)), name).toBe(true);
    for (const user of ['ledge-server', 'ledge']) expect(as(user, ': >>run/ledge/device.sock'), user).toBe(true);
    for (const user of ['ledge-broker', 'ledge-sse', 'ledge-media', 'ledge-setup'])
      expect(as(user, ': >>run/ledge/device.sock'), user).toBe(false);
    expect(as('ledge-media', 'rm -f run/ledge/device.sock'), 'sticky').toBe(false);
    expect(as('ledge-device', 'rm run/ledge/device.sock')).toBe(true);
  });

  test.skipIf(!has('setpriv'))('what one service saved can be read by the others, and not replaced', () => {
    expect(
      as(
        'ledge-broker',
        'umask 077; : >var/lib/ledge/settings/draft; chmod 640 var/lib/ledge/settings/draft; mv var/lib/ledge/settings/draft var/lib/ledge/settings/broker.yaml',
      ),
    ).toBe(true);
    expect(as('ledge-sse', 'cat var/lib/ledge/settings/broker.yaml')).toBe(true);
    expect(as('ledge-sse', ': >var/lib/ledge/settings/new && mv -f var/lib/ledge/settings/new var/lib/ledge/settings/broker.yaml')).toBe(
      false,
    );
  });

  test.skipIf(!has('setpriv'))('databases and secrets are closed to the other services', () => {
    writeFileSync(join(root, 'var/lib/ledge/secrets/mqtt/device'), 'secret', { mode: 0o640 });
    spawnSync('chown', [`${users.get('ledge-device')}:${groups.get('ledge-broker')}`, join(root, 'var/lib/ledge/secrets/mqtt/device')]);
    expect(as('ledge-device', 'cat var/lib/ledge/secrets/mqtt/device')).toBe(true);
    expect(
      as(
        'ledge-broker',
        'cat var/lib/ledge/secrets/mqtt/device && ls var/lib/ledge/secrets/mqtt && : >var/lib/ledge/secrets/broker-key.pem',
      ),
    ).toBe(true);
    for (const user of ['ledge-media', 'ledge-server', 'ledge-setup']) {
      expect(as(user, 'cat var/lib/ledge/secrets/mqtt/device'), user).toBe(false);
      expect(as(user, 'ls var/lib/ledge/secrets/mqtt'), user).toBe(false);
    }
    expect(as('ledge-media', 'ls var/lib/ledge/server')).toBe(false);
  });

  test.skipIf(!has('setpriv'))('the server chooses the country, but puts no key beside the import’s', () => {
    const folder = 'var/lib/ledge/system';
    expect(as('ledge-setup', `echo DE >${folder}/country; echo key >${folder}/authorized_keys`)).toBe(true);
    expect(as('ledge-server', `echo FI >${folder}/new && mv -f ${folder}/new ${folder}/authorized_keys`)).toBe(false);
    // what ledge-regdom does once it has read it
    spawnSync('chown', [String(users.get('ledge-server')), join(root, folder, 'country')]);
    expect(as('ledge-server', `echo FI >${folder}/new && mv -f ${folder}/new ${folder}/country`)).toBe(true);
    expect(as('ledge-setup', `echo SE >${folder}/newer && mv -f ${folder}/newer ${folder}/country`)).toBe(true);
    expect(as('ledge-media', `: >${folder}/x`)).toBe(false);
  });
});

const canLoadRules = spawnSync('unshare', ['--net', 'nft', 'list', 'ruleset']).status === 0;
describe.skipIf(!canLoadRules)('the firewall (needs: nftables, root)', () => {
  test('its rules can be loaded, and loaded again', () => {
    const rules = join(card, 'etc/nftables.conf');
    expect(existsSync(rules)).toBe(true);
    const { status, stderr } = spawnSync(
      'unshare',
      ['--net', 'sh', '-c', `nft -f ${rules} && nft -f ${rules} && nft add element inet ledge hotspot '{ "wlan0" }'`],
      {
        encoding: 'utf8',
      },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
