import { expect, test } from 'vitest';
import { HOME_PSK, read, sample, told, values, wiped } from '../test-support.ts';

test('network-config of Imager 2: a name of bytes, a ready-made key, the country', () => {
  const reading = read('network-config', sample('imager-2.network-config'));
  expect(values(reading)).toEqual({
    country: 'DE',
    wifi: [{ ssid: 'Café "Berlin"', key: { kind: 'psk', value: HOME_PSK }, hidden: true }],
  });
  expect(reading.notes).toEqual([]);
});

test('network-config of Imager 1 has no network: around it', () => {
  expect(values(read('network-config', sample('imager-1.network-config')))).toEqual({
    wifi: [{ ssid: 'Home', key: { kind: 'psk', value: HOME_PSK }, hidden: true }],
  });
});

test.each(['imager-1.network-config', 'imager-2.network-config'])('the key in %s is taken away, and known as taken later', (name) => {
  const text = sample(name);
  const after = wiped(text, read('network-config', text));
  expect(after.toString()).not.toContain(HOME_PSK);
  expect(after.length).toBe(text.length);
  const again = read('network-config', after);
  expect(again.says.wifi[0]?.value.key).toEqual({ kind: 'taken' });
  expect(again.secrets).toEqual([]);
});

const wifi = (point: string) => read('network-config', `version: 2\nwifis: { wlan0: { access-points: { "Home": ${point} } } }\n`);

test('open networks, passphrases and those below auth: are taken; other kinds are left out and told', () => {
  expect(values(wifi('{ auth: { key-management: none } }')).wifi?.[0]?.key).toEqual({ kind: 'open' });
  expect(values(wifi('{}')).wifi?.[0]?.key).toEqual({ kind: 'open' });
  expect(values(wifi('{ password: "correct horse" }')).wifi?.[0]?.key).toEqual({ kind: 'passphrase', value: 'correct horse' });
  const auth = wifi('{ auth: { key-management: sae, password: correct horse } }');
  expect(values(auth).wifi?.[0]?.key).toEqual({ kind: 'passphrase', value: 'correct horse' });
  expect(auth.secrets).toHaveLength(1);
  const enterprise = wifi('{ auth: { key-management: eap, identity: anna, password: hush } }');
  expect(values(enterprise)).toEqual({});
  expect(told(enterprise, 'unused')).toEqual([
    'network-config:2 Wi-Fi with eap (a user name or certificate) is not possible and is left out',
  ]);
  expect(told(wifi('{ mode: ap, password: correct horse }'), 'unused')).toHaveLength(1);
  expect(told(wifi('{ password: hunter2 }'))).toEqual([
    'network-config:2 wifis.wlan0.access-points.Home.password: it has 7 characters; 8 to 63 are wanted, or 64 hexadecimal digits',
  ]);
});

test('the password of a network that is left out goes all the same', () => {
  for (const point of [
    '{ mode: ap, password: correct horse }',
    '{ auth: { key-management: eap, identity: anna, password: correct horse } }',
  ]) {
    const text = `version: 2\nwifis: { wlan0: { access-points: { "Home": ${point} } } }\n`;
    const after = wiped(text, read('network-config', text));
    expect(after.toString()).not.toContain('horse');
    expect(read('network-config', after).secrets).toEqual([]);
  }
});

test('a password that could not be read makes no open network', () => {
  expect(values(wifi('{ password: *horse }'))).toEqual({});
  expect(values(wifi('{ auth: { password: *horse } }'))).toEqual({});
});

test('name servers beside DHCP are taken; what is not possible there is told', () => {
  const reading = read(
    'network-config',
    'version: 2\nethernets:\n  eth0:\n    dhcp4: true\n    gateway4: 192.168.1.1\n    nameservers: { addresses: [1.1.1.1] }\n',
  );
  expect(values(reading).wired).toEqual([{ device: 'eth0', ip: { addresses: [], gateways: [], dns: ['1.1.1.1'], search: [] } }]);
  expect(told(reading, 'unused')).toEqual(['network-config:5 gateway4 is not used without addresses']);
  const without = read('network-config', 'version: 2\nethernets: { eth0: { dhcp4: no } }\n');
  expect(told(without, 'unused')).toEqual(['network-config:2 dhcp4 is not used without addresses']);
  const both = read('network-config', 'version: 2\nethernets: { eth0: { dhcp4: true, addresses: [192.168.1.5/24] } }\n');
  expect(told(both, 'unused')).toEqual(['network-config:2 dhcp4 is not used beside addresses']);
});

test('a device that is described by match: gets nothing, and that is told', () => {
  const reading = read(
    'network-config',
    'version: 2\nethernets: { lan: { match: { macaddress: "00:11:22:33:44:55" }, addresses: [192.168.1.5/24] } }\n',
  );
  expect(values(reading)).toEqual({});
  expect(told(reading, 'unused')).toEqual(['network-config:2 lan.match is not used']);
});

test('fixed addresses in each form of netplan', () => {
  const reading = read(
    'network-config',
    [
      'network:',
      '  version: 2',
      '  renderer: networkd',
      '  ethernets:',
      '    eth0:',
      '      addresses: [192.168.1.5/24, "fd00::5/64": { label: x }]',
      '      gateway4: 192.168.1.1',
      '      nameservers: { addresses: [192.168.1.1, 9.9.9.9], search: [lan] }',
      '    eth1:',
      '      dhcp4: true',
      '    eth2:',
      '      addresses:',
      '        - 10.0.0.2/8',
      '      routes:',
      '        - { to: default, via: 10.0.0.1 }',
      '        - { to: 172.16.0.0/12, via: 10.0.0.9 }',
      '      set-name: lan0',
      '',
    ].join('\n'),
  );
  expect(values(reading)).toEqual({
    wired: [
      {
        device: 'eth0',
        ip: {
          addresses: [
            { address: '192.168.1.5', prefix: 24 },
            { address: 'fd00::5', prefix: 64 },
          ],
          gateways: ['192.168.1.1'],
          dns: ['192.168.1.1', '9.9.9.9'],
          search: ['lan'],
        },
      },
      { device: 'eth2', ip: { addresses: [{ address: '10.0.0.2', prefix: 8 }], gateways: ['10.0.0.1'], dns: [], search: [] } },
    ],
  });
  expect(told(reading, 'unused')).toEqual([
    'network-config:17 eth2.set-name is not used',
    'network-config:16 only the default route is used',
  ]);
});

test('wrong addresses are told with their line', () => {
  const reading = read(
    'network-config',
    'version: 2\nethernets:\n  eth0:\n    addresses: [192.168.1.5, 192.168.1.6/33]\n    gateway4: home\n',
  );
  expect(values(reading)).toEqual({});
  expect(told(reading)).toEqual([
    'network-config:4 ethernets.eth0.addresses.0 is "192.168.1.5"; an address such as 192.168.1.5/24 is wanted',
    'network-config:4 ethernets.eth0.addresses.1 is "192.168.1.6/33"; an address such as 192.168.1.5/24 is wanted',
  ]);
});

test('version 1 of the format is told', () => {
  expect(told(read('network-config', 'version: 1\nconfig: []\n'))).toEqual([
    'network-config:1 version is 1; 2, the form of netplan, is wanted',
  ]);
});

test('a template that the image ships, all comments, says nothing', () => {
  expect(read('network-config', '# network:\n#   version: 2\n').notes).toEqual([]);
});
