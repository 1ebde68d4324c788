import { expect, test } from 'vitest';
import { merge } from './merge.ts';
import { HOME_PSK, read, told, values } from './test-support.ts';
import type { Reading } from './wishes.ts';

const merged = (...readings: Reading[]) => {
  const { wishes, conflicts } = merge(readings);
  return { says: values({ says: wishes, notes: [], secrets: [] }), conflicts: told({ notes: conflicts }, 'conflict') };
};

test('of two files the first wins, and the other is told where its word differs', () => {
  const { says, conflicts } = merged(
    read('ledge.yaml', 'name: Barn\ncountry: FR\nhotspotKey: one secret\n'),
    read('user-data', '#cloud-config\nhostname: shed\n'),
    read('custom.toml', '[system]\nhostname = "attic"\n[wlan]\ncountry = "FR"\n'),
    read('cmdline.txt', 'cfg80211.ieee80211_regdom=GB'),
  );
  expect(says).toEqual({ name: 'Barn', country: 'FR', hostname: 'shed', hotspotKey: 'one secret' });
  expect(conflicts).toEqual([
    'custom.toml:2 hostname "attic" is not used: user-data:2 says another and wins',
    'cmdline.txt:1 country "GB" is not used: ledge.yaml:2 says another and wins',
  ]);
});

test('networks of all files are put together; of one network the first password wins, untold', () => {
  const { says, conflicts } = merged(
    read('ledge.yaml', 'wifi: { ssid: Home, password: correct horse }'),
    read('wpa_supplicant.conf', 'network={\n ssid="Home"\n psk="battery staple"\n}\nnetwork={\n ssid="Shed"\n key_mgmt=NONE\n}\n'),
  );
  expect(says.wifi?.map(({ ssid, key }) => [ssid, key])).toEqual([
    ['Home', { kind: 'passphrase', value: 'correct horse' }],
    ['Shed', { kind: 'open' }],
  ]);
  expect(conflicts).toEqual(['wpa_supplicant.conf:1 the password of Wi-Fi "Home" is not used: ledge.yaml:1 says another and wins']);
});

test('a passphrase and the key made of it are the same password', () => {
  const { conflicts } = merged(
    read('ledge.yaml', 'wifi: { ssid: Home, password: correct horse }'),
    read('network-config', `version: 2\nwifis: { wlan0: { access-points: { Home: { password: ${HOME_PSK} } } } }\n`),
  );
  expect(conflicts).toEqual([]);
});

test('a password that was taken says nothing against one that is there', () => {
  const { says, conflicts } = merged(
    read('ledge.yaml', 'wifi: { ssid: Home, password: "*************", hidden: yes }'),
    read('wpa_supplicant.conf', 'network={\n ssid="Home"\n psk="battery staple"\n}\n'),
  );
  expect(says.wifi).toEqual([{ ssid: 'Home', key: { kind: 'passphrase', value: 'battery staple' }, hidden: true }]);
  expect(conflicts).toEqual([]);
});

test('without a name the box is called as its host name', () => {
  expect(merged(read('user-data', '#cloud-config\nhostname: greenhouse\n')).says).toEqual({ hostname: 'greenhouse', name: 'greenhouse' });
});
