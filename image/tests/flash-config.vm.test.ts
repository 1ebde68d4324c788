import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failedUnits } from './vm/ask.ts';
import { startedBox } from './vm/box.ts';
import { findOnBoot, readBootFile } from './vm/fat.ts';
import type { Machine } from './vm/machine.ts';
import { makeSshKey, type SshKey, ssh } from './vm/ssh.ts';

const samples = join(import.meta.dirname, '..', '..', 'system', 'provision', 'samples');
const sample = (name: string) => readFileSync(join(samples, name), 'utf8');
const SECRETS = { admin: 'a quiet brown heron', wifi: 'correct horse 7', attic: 'staple 42 attic', hotspot: 'set-up words 9' };
let key: SshKey;

const login = async (box: Machine, password: string) =>
  (
    await fetch(`${box.url}/api/server/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'admin', password }),
    })
  ).status;
const networks = (box: Machine) => box.sh('cd /etc/NetworkManager/system-connections && tail -n +1 -- * 2>/dev/null || true');
const report = (box: Machine) => box.sh("tr -d '\\r' </boot/firmware/ledge-report.txt | sed 's/ *$//'");

beforeAll(async () => {
  key = await makeSshKey();
});
afterAll(() => key?.remove());

describe('ledge.yaml', () => {
  let box: Machine;
  beforeAll(async () => {
    const yaml = `# what my box shall be
name: Barn Nº 1
hostname: barn
country: fr
timezone: Europe/Paris
language: fr
wifi:
  - { ssid: Home, password: "${SECRETS.wifi}" }
  - { ssid: 'Café "2"', password: '${SECRETS.attic}', hidden: yes }
  - ssid: Garden
adminPassword: ${SECRETS.admin}
sshKey: ${key.line}
hotspotKey: ${SECRETS.hotspot}
`;
    box = await startedBox('ledge-yaml', { bootFiles: { 'ledge.yaml': yaml } });
  });
  afterAll(() => box?.remove());

  test('name: people see it', async () => {
    expect(await box.health(() => true)).toMatchObject({ name: 'Barn Nº 1' });
  });

  test('hostname: the box answers to it, in the network too', async () => {
    expect(await box.sh('hostname')).toBe('barn');
    expect(await box.sh('systemctl show --property=StatusText --value avahi-daemon; getent hosts barn | head -n 1')).toMatch(/barn/);
  });

  test('country: the radio keeps its rules', async () => {
    expect(await box.sh('cat /var/lib/ledge/system/country')).toBe('FR');
    expect(await box.sh('iw reg get | grep -m 1 country')).toMatch(/country FR/);
  });

  test('timezone and language', async () => {
    expect(await box.sh('timedatectl show --property=Timezone --value')).toBe('Europe/Paris');
    expect(await box.sh('cat /var/lib/ledge/system/language')).toBe('fr');
  });

  test('wifi: each network is known, with its password, for root alone', async () => {
    const text = await networks(box);
    expect(text).toMatch(/^ssid=Home$/m);
    expect(text).toContain(`psk=${SECRETS.wifi}`);
    expect(text).toMatch(/^hidden=true$/m);
    expect(text).toMatch(/^ssid=Garden$/m);
    expect(await box.sh('stat -c %a:%U /etc/NetworkManager/system-connections/* | sort -u')).toBe('600:root');
    // with a passphrase one profile for WPA2 and one for WPA3
    expect(await box.sh('nmcli --terse --fields TYPE,AUTOCONNECT connection show | grep -c 802-11-wireless:yes')).toBe('5');
  });

  test('adminPassword: signs in, and nobody is asked to choose one', async () => {
    expect(await box.health(() => true)).toMatchObject({ setupNeeded: false });
    expect(await login(box, SECRETS.admin)).toBe(200);
    expect(await login(box, 'guessed-Owl-11')).toBe(401);
  });

  test('sshKey: its owner comes in, as person and as root, and nobody else', async () => {
    expect(await ssh(box.ports.ssh, key, 'ledge', 'id -un; sudo -n true 2>&1 || true')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ledge/),
    });
    expect(await ssh(box.ports.ssh, key, 'root', 'id -un')).toMatchObject({ code: 0, out: 'root\n' });
    const stranger = await makeSshKey();
    expect((await ssh(box.ports.ssh, stranger, 'ledge', 'true')).code).toBe(255);
    stranger.remove();
  });

  test('hotspotKey is kept for whoever opens the set-up network', async () => {
    expect(await box.sh('cat /var/lib/ledge/system/hotspot-key')).toBe(SECRETS.hotspot);
  });

  test('the report tells what was done, without a secret, and nothing failed', async () => {
    const text = await report(box);
    expect(text).toContain('DONE');
    for (const word of ['country FR', 'Europe/Paris', 'barn', 'Home', 'admin password', 'one SSH key']) expect(text).toContain(word);
    expect(text).not.toContain('TO BE CORRECTED');
    for (const secret of Object.values(SECRETS)) expect(text).not.toContain(secret);
    expect(await failedUnits(box)).toEqual([]);
  });

  test('the boot partition is mounted read-only again, and no byte of it holds a secret any more', async () => {
    expect(await box.sh('findmnt --noheadings --output OPTIONS /boot/firmware')).toMatch(/^ro,/);
    await box.shutDown();
    expect(await findOnBoot(box.disk, Object.values(SECRETS))).toEqual([]);
    const yaml = (await readBootFile(box.disk, 'ledge.yaml')).toString();
    expect(yaml).toMatch(/^adminPassword: "\*+"$/m);
    expect(yaml).toContain('hostname: barn');
  });
});

/** What people get wrong, and what the report says of it; what can stand side by side is imported in one go. */
const MISTAKES: { files: Record<string, string>; told: [what: string, words: RegExp][] }[] = [
  {
    files: {
      'ledge.yaml': [
        'hostnam: barn',
        'hostname: my barn',
        'country: Germany',
        'timezone: Mars/Olympus',
        'language: tlh',
        'wifi: { ssid: Home, password: short }',
        'adminPassword: short',
        'sshKey: "-----BEGIN OPENSSH PRIVATE KEY-----"',
        'hotspotKey: short\n',
      ].join('\n'),
    },
    told: [
      ['an unknown key', /ledge\.yaml:1 {2}hostnam is not known here; known are name, hostname/],
      ['a host name with spaces', /ledge\.yaml:2 .*letters from a to z, digits and hyphens/],
      ['a country that is none', /ledge\.yaml:3 .*two letters of a country/],
      ['a time zone that is none', /ledge\.yaml:4 .*a time zone such as Europe\/Paris/],
      ['a language that the pages lack', /ledge\.yaml:5 .*one of en, fr is wanted/],
      ['a Wi-Fi password that is too short', /ledge\.yaml:6 .*8 to 63 are wanted/],
      ['an admin password that is too short', /ledge\.yaml:7 .*it has 5 characters; 10 to/],
      ['a private key in place of the public one', /ledge\.yaml:8 {2}sshKey: .+/],
      ['a hotspot key that is too short', /ledge\.yaml:9 .*8 to 63 are wanted, of those on an English keyboard/],
    ],
  },
  {
    files: { 'ledge.yaml': 'wifi: { password: correct horse }\nadminPasswordHash: 5f4dcc3b\n' },
    told: [
      ['a network without a name', /wifi\.ssid is missing/],
      ['a hash that is none', /scrypt\$N\$r\$p\$salt\$key is wanted/],
    ],
  },
  {
    files: {
      'ledge.yaml.txt': 'name: Barn\n',
      'user-data': '#cloud-config\nhostname: [x\n',
      'wpa_supplicant.conf': 'network={\n\tssid="Home"\n\tpsk="short"\n}\n',
    },
    told: [
      ['a file that the editor renamed', /the name is ledge\.yaml\.txt, so it was not read; ledge\.yaml is wanted/],
      ['user-data that is no YAML', /user-data:\d/],
      ['a wpa_supplicant.conf with a password that is too short', /wpa_supplicant\.conf:\d/],
    ],
  },
  { files: { 'ledge.yaml': 'name: [Barn\n' }, told: [['no YAML', /ledge\.yaml:\d/]] },
  {
    files: { 'ledge.yaml': '- name: Barn\n' },
    told: [['a list instead of keys', /keys and values such as "name: Barn" are wanted/]],
  },
];

describe('Raspberry Pi Imager', () => {
  let box: Machine;
  const hash = '474ba82aa7ecbb0ee0d6a6f625529213ba1e52c48f85417392be8654a469b297';
  beforeAll(async () => {
    const userData = sample('imager-2.user-data').replace(/ssh-ed25519 [^"\n]*/, key.line);
    box = await startedBox('imager', {
      bootFiles: { 'user-data': userData, 'network-config': sample('imager-2.network-config'), 'meta-data': sample('imager-2.meta-data') },
    });
  });
  afterAll(() => box?.remove());

  /** Puts files on the mounted card, imports again, and reads the report. */
  async function reimport(files: Record<string, string>): Promise<string> {
    await box.sh(
      'mount -o remount,rw /boot/firmware; cd /boot/firmware && rm -f ledge.yaml* user-data network-config meta-data *.toml wpa_supplicant.conf* userconf* ssh* firstrun.sh; rm -f /var/lib/ledge/setup/import-state',
    );
    for (const [name, content] of Object.entries(files)) await box.sh(`cat >'/boot/firmware/${name}'`, { input: content });
    await box.exec('sync; mount -o remount,ro /boot/firmware; systemctl restart ledge-import.service', { seconds: 120 });
    return await report(box);
  }

  test('its user-data and network-config: name, time zone, country, key and network', async () => {
    expect(await box.sh('hostname')).toBe('greenhouse');
    expect(await box.sh('timedatectl show --property=Timezone --value')).toBe('Europe/Berlin');
    expect(await box.sh('cat /var/lib/ledge/system/country')).toBe('DE');
    expect((await ssh(box.ports.ssh, key, 'ledge', 'true')).code).toBe(0);
    expect(await networks(box)).toContain(`psk=${hash}`);
  });

  test('its secrets are gone from the card, what is not for Ledge among them', async () => {
    const text = await report(box);
    expect(text).toContain('NOT USED');
    const files = await box.sh('cat /boot/firmware/user-data /boot/firmware/network-config');
    for (const secret of [hash, '$y$j9T$Qm5Zc0Y1d2hhdGV2ZXI$', 'rpuak_NotARealToken1234567890']) expect(files).not.toContain(secret);
  });

  test('its older files: wpa_supplicant.conf and userconf.txt', async () => {
    await reimport({ 'wpa_supplicant.conf': sample('wpa_supplicant.conf'), 'userconf.txt': sample('userconf.txt'), ssh: '' });
    expect(await box.sh('cat /var/lib/ledge/system/country')).toBe('NL');
    expect(await networks(box)).toMatch(/^ssid=Guests$/m);
    expect(await box.sh('cat /boot/firmware/wpa_supplicant.conf /boot/firmware/userconf.txt')).not.toMatch(
      /correct horse|\$6\$c70VpvPsVNCG0YR5/,
    );
  });

  test('its older files: custom.toml', async () => {
    await reimport({ 'custom.toml': sample('custom.toml').replace(/ssh-ed25519 [^"\n]*/, key.line) });
    expect(await box.sh('hostname')).toBe('attic');
    expect(await box.sh('timedatectl show --property=Timezone --value')).toBe('Europe/Vienna');
    expect(await box.sh('cat /boot/firmware/custom.toml')).not.toContain('correct horse');
  });

  describe.each(MISTAKES)('mistakes', ({ files, told }) => {
    let text: string;
    beforeAll(async () => {
      text = await reimport(files);
    });

    test.each(told)('%s is told in the report', (_, words) => {
      expect(text).toContain('TO BE CORRECTED');
      expect(text).toMatch(words);
    });
  });

  test('of two mistakes and one good key the good one still applies, and the screen tells of the mistakes', async () => {
    const text = await reimport({ 'ledge.yaml': 'country: xx\ntimezone: Asia/Tokyo\nlanguage: xx\n' });
    expect(text).toMatch(/time zone Asia\/Tokyo/);
    expect(await box.sh('timedatectl show --property=Timezone --value')).toBe('Asia/Tokyo');
    expect(await box.sh('cat /run/issue.d/* 2>/dev/null || true')).toMatch(/ledge-report\.txt|country/);
  });
});
