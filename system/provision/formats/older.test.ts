import { expect, test } from 'vitest';
import { ED25519, HOME_PSK, read, sample, told, values, wiped } from '../test-support.ts';

const home = { kind: 'passphrase', value: 'correct horse' };

test('wpa_supplicant.conf: names in quotes and in digits, keys of both kinds, open networks', () => {
  const reading = read('wpa_supplicant.conf', sample('wpa_supplicant.conf'));
  expect(values(reading)).toEqual({
    country: 'NL',
    wifi: [
      { ssid: 'Home "quoted"', key: home, hidden: false },
      { ssid: 'Café', key: { kind: 'psk', value: HOME_PSK }, hidden: true },
      { ssid: 'Guests', key: { kind: 'open' }, hidden: false },
    ],
  });
  expect(reading.notes).toEqual([]);
});

test('the passphrase goes from wpa_supplicant.conf, also from the comment that wpa_passphrase leaves', () => {
  const text = sample('wpa_supplicant.conf');
  const after = wiped(text, read('wpa_supplicant.conf', text)).toString();
  expect(after).not.toMatch(/horse|474ba8/);
  const again = read('wpa_supplicant.conf', after);
  expect(again.says.wifi.map(({ value }) => value.key.kind)).toEqual(['taken', 'taken', 'open']);
  expect(again).toMatchObject({ secrets: [], notes: [] });
});

test('the password of a network that is left out of wpa_supplicant.conf goes all the same', () => {
  const text =
    'network={\n ssid="A"\n key_mgmt=WPA-EAP\n identity="anna"\n password="correct horse"\n}\nnetwork={\n ssid="B"\n disabled=1\n psk="correct horse"\n}\n' +
    'network={\n ssid="C"\n key_mgmt=NONE\n wep_key0="horse"\n}\n';
  const reading = read('wpa_supplicant.conf', text);
  expect(values(reading)).toEqual({});
  expect(wiped(text, reading).toString()).not.toContain('horse');
});

test('mistakes in wpa_supplicant.conf are told with their line', () => {
  const text =
    'country=ZZ\nnetwork={\n  ssid=Home\n  psk="correct horse"\n}\nnetwork={\n  ssid="A"\n  psk=correct horse\n}\nnetwork={\n  ssid="B"\n}\nnetwork={\n  ssid="C"\n';
  const reading = read('wpa_supplicant.conf', text);
  expect(values(reading)).toEqual({});
  expect(told(reading)).toEqual([
    'wpa_supplicant.conf:13 network={ is not ended by a line with }',
    'wpa_supplicant.conf:1 country is "ZZ"; the two letters of a country as in ISO 3166 are wanted, such as DE, FR or GB',
    `wpa_supplicant.conf:3 ssid is "Home"; a network's name in quotes, of 1 to 32 bytes, is wanted`,
    'wpa_supplicant.conf:8 psk: a password stands in quotes here, or is a key of 64 hexadecimal digits without quotes',
    'wpa_supplicant.conf:11 psk is missing; a password in quotes is wanted, or key_mgmt=NONE for an open network',
  ]);
});

test('networks that need a user name, and disabled ones, are left out and told', () => {
  const reading = read(
    'wpa_supplicant.conf',
    'network={\n  ssid="Uni"\n  key_mgmt=WPA-EAP\n}\nnetwork={\n  ssid="Old"\n  psk="correct horse"\n  disabled=1\n}\n',
  );
  expect(values(reading)).toEqual({});
  expect(told(reading, 'unused')).toHaveLength(2);
});

test('custom.toml of Raspberry Pi OS', () => {
  const reading = read('custom.toml', sample('custom.toml'));
  expect(values(reading)).toEqual({
    hostname: 'attic',
    timezone: 'Europe/Vienna',
    country: 'AT',
    sshKeys: [ED25519],
    wifi: [{ ssid: 'Home', key: home, hidden: true }],
  });
  expect(told(reading)).toEqual([]);
  expect(told(reading, 'unused')).toEqual([
    'custom.toml:9 user.password is not used: Ledge has no password logins; give an SSH key',
    'custom.toml:27 the keyboard layout is not used: nothing is typed at the box itself',
  ]);
});

test('rpi-preseed.toml of Raspberry Pi Imager, with a name that is no text', () => {
  const reading = read('rpi-preseed.toml', sample('rpi-preseed.toml'));
  expect(values(reading)).toEqual({
    hostname: 'cellar',
    timezone: 'Europe/Zurich',
    country: 'CH',
    wifi: [{ ssid: '0xff00486f6d65', key: { kind: 'psk', value: HOME_PSK }, hidden: false }],
  });
  expect(told(reading, 'unused')).toContain('rpi-preseed.toml:27 [connect]: Raspberry Pi Connect is not part of Ledge');
});

test.each(['custom.toml', 'rpi-preseed.toml'])('the secrets of %s are taken away, and known as taken later', (name) => {
  const text = sample(name);
  const after = wiped(text, read(name, text)).toString();
  expect(after).not.toMatch(/horse|474ba8|\$6\$|\$y\$|rpuak/);
  const again = read(name, after);
  expect(again.says.wifi[0]?.value.key).toEqual({ kind: 'taken' });
  expect(again.secrets).toEqual([]);
  expect(told(again)).toEqual([]);
});

test('a wrong line of TOML is told, and the others are taken', () => {
  const reading = read(
    'custom.toml',
    '[system]\nhostname = barn house\n[locale]\ntimezone = "Mars/Base"\n[wlan]\nssid = "Home"\npassword = "short"\ncountry = "GB"\nssid = "x"\n',
  );
  expect(values(reading)).toEqual({ hostname: 'barn', country: 'GB' });
  expect(told(reading)).toEqual([
    'custom.toml:2 there is something behind the value; the line was left out',
    'custom.toml:9 ssid is here twice; the line was left out',
    'custom.toml:4 locale.timezone is "Mars/Base"; a time zone such as Europe/Paris or Etc/UTC is wanted',
    'custom.toml:7 wlan.password: it has 5 characters; 8 to 63 are wanted, or 64 hexadecimal digits',
  ]);
});

test('firstrun.sh of Imager 1 is not run, but what it would set is taken', () => {
  const text = sample('firstrun.sh');
  const reading = read('firstrun.sh', text);
  expect(values(reading)).toEqual({
    hostname: 'shed',
    sshKeys: [ED25519],
    country: 'GB',
    timezone: 'Europe/London',
    wifi: [{ ssid: "Anna's home", key: { kind: 'psk', value: HOME_PSK }, hidden: true }],
  });
  const after = wiped(text, reading).toString();
  expect(after).not.toMatch(/474ba8|\$5\$/);
  expect(read('firstrun.sh', after)).toMatchObject({ secrets: [] });
  expect(read('firstrun.sh', after).says.wifi[0]?.value.key).toEqual({ kind: 'taken' });
});

test('firstrun.sh with a network name that is no text has it in digits', () => {
  const text = `#!/bin/sh\ncat >/etc/wpa_supplicant/wpa_supplicant.conf <<'WPAEOF'\ncountry=GB\nnetwork={\n\tssid=hex:ff00\n\tpsk=${HOME_PSK}\n}\nWPAEOF\n`;
  const reading = read('firstrun.sh', text);
  expect(values(reading)).toEqual({ country: 'GB', wifi: [{ ssid: '0xff00', key: { kind: 'psk', value: HOME_PSK }, hidden: false }] });
  expect(wiped(text, reading).toString()).not.toContain(HOME_PSK);
});

test('words that only a shell could make out are not taken from firstrun.sh', () => {
  const text =
    '/usr/lib/raspberrypi-sys-mods/imager_custom set_hostname $(reboot)\n/usr/lib/raspberrypi-sys-mods/imager_custom set_timezone "$TZ"\n';
  expect(values(read('firstrun.sh', text))).toEqual({});
});

test('userconf.txt makes no user, and its hash is taken away', () => {
  const text = sample('userconf.txt');
  const reading = read('userconf.txt', text);
  expect(values(reading)).toEqual({});
  expect(told(reading, 'unused')).toHaveLength(1);
  expect(wiped(text, reading).toString()).toMatch(/^pi:\*+\n$/);
});

test('an empty file ssh switches nothing on by itself', () => {
  expect(told(read('ssh', ''), 'unused')).toEqual(['ssh SSH is on as soon as there is an SSH key, and only then; this file does nothing']);
});

test('the country that Imager leaves in cmdline.txt is taken, and nothing else of it', () => {
  expect(values(read('cmdline.txt', 'console=serial0 cfg80211.ieee80211_regdom=GB ds=nocloud;i=rpi-imager-1'))).toEqual({ country: 'GB' });
  expect(read('cmdline.txt', 'console=serial0,115200 rootwait')).toMatchObject({ notes: [], secrets: [] });
  expect(told(read('cmdline.txt', 'cfg80211.ieee80211_regdom=00'))).toHaveLength(1);
});
