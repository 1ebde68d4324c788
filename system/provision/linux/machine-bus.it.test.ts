import { openDbus } from '@ledge/host/linux/systemd/dbus-connection.ts';
import { SystemBus } from '@ledge/host/linux/systemd/system-bus.ts';
import { systemClock } from '@ledge/kit';
import { PrivateBus } from '@ledge/testing';
import { describe, expect, test } from 'vitest';
import { HOME_PSK } from '../test-support.ts';
import type { Wifi, WifiKey } from '../wishes.ts';
import { FakeMachineBus } from './fake-machine-bus.ts';
import { SystemdHostSettings } from './host-settings.ts';
import { NetworkManager } from './network-manager.ts';

const NM = 'org.freedesktop.NetworkManager';
const passphrase = (value: string): WifiKey => ({ kind: 'passphrase', value });
const wifi = (name: string, key: WifiKey, rest: Partial<Wifi> = {}): Wifi => ({ ssid: Buffer.from(name), key, hidden: false, ...rest });

async function machine(...names: string[]) {
  const daemon = new PrivateBus();
  await daemon.start();
  const fake = new FakeMachineBus(daemon.address);
  await fake.join(...names);
  const bus = new SystemBus({ open: () => openDbus(daemon.address), clock: systemClock });
  return {
    fake,
    bus,
    networks: new NetworkManager(bus, systemClock),
    host: new SystemdHostSettings(bus),
    profiles: () => [...fake.profiles.values()],
    async [Symbol.asyncDispose]() {
      bus.close();
      fake.leave();
      await daemon[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(!PrivateBus.installed)('on a real bus (needs: dbus)', () => {
  test('a passphrase makes a profile for WPA2, and one below it for networks with nothing but WPA3', async () => {
    await using box = await machine(NM);
    expect(await box.networks.putWifi(wifi('Café', passphrase('correct horse'), { hidden: true }))).toBe('done');
    const [wpa2, wpa3] = box.profiles();
    expect(wpa2).toMatchObject({
      connection: { id: 'Café', type: '802-11-wireless', 'autoconnect-priority': 0 },
      '802-11-wireless': { ssid: Buffer.from('Café'), mode: 'infrastructure', hidden: true },
      '802-11-wireless-security': { 'key-mgmt': 'wpa-psk', psk: 'correct horse', pmf: 1 },
      ipv4: { method: 'auto' },
      ipv6: { method: 'auto' },
    });
    expect(wpa3).toMatchObject({
      connection: { id: 'Café (WPA3)', 'autoconnect-priority': -10 },
      '802-11-wireless-security': { 'key-mgmt': 'sae', psk: 'correct horse', pmf: 3 },
    });
    expect(wpa2?.connection?.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(wpa3?.connection?.uuid).not.toBe(wpa2?.connection?.uuid);
  });

  test('the same again changes the profile and makes no second one; a changed password replaces', async () => {
    await using box = await machine(NM);
    await box.networks.putWifi(wifi('Home', passphrase('correct horse')));
    const before = box.profiles().map(({ connection }) => connection?.uuid);
    await box.networks.putWifi(wifi('Home', passphrase('another horse')));
    expect(box.profiles().map(({ connection }) => connection?.uuid)).toEqual(before);
    expect(box.profiles().map((profile) => profile['802-11-wireless-security']?.psk)).toEqual(['another horse', 'another horse']);
  });

  test('a ready-made key and an open network have one profile, and the one for WPA3 goes', async () => {
    await using box = await machine(NM);
    await box.networks.putWifi(wifi('Home', passphrase('correct horse')));
    await box.networks.putWifi(wifi('Home', { kind: 'psk', value: HOME_PSK }));
    expect(box.profiles().map((profile) => profile['802-11-wireless-security'])).toEqual([
      { 'key-mgmt': 'wpa-psk', psk: HOME_PSK, pmf: 1 },
    ]);
    await box.networks.putWifi(wifi('Home', { kind: 'open' }));
    expect(box.profiles()).toHaveLength(1);
    expect(box.profiles()[0]).not.toHaveProperty('802-11-wireless-security');
  });

  test('a password that was taken stays in its profile, and other settings of the network change', async () => {
    await using box = await machine(NM);
    await box.networks.putWifi(wifi('Home', passphrase('correct horse')));
    expect(await box.networks.putWifi(wifi('Home', { kind: 'taken' }, { hidden: true }))).toBe('done');
    expect(box.profiles()).toMatchObject([
      { '802-11-wireless': { hidden: true }, '802-11-wireless-security': { psk: 'correct horse' } },
      {
        connection: { 'autoconnect-priority': -10 },
        '802-11-wireless': { hidden: true },
        '802-11-wireless-security': { psk: 'correct horse', 'key-mgmt': 'sae' },
      },
    ]);
    expect(await box.networks.putWifi(wifi('Shed', { kind: 'taken' }))).toBe('missing-key');
    expect(box.profiles()).toHaveLength(2);
  });

  test('a profile that somebody else made for the network is changed and keeps its name; an access point of ours is not', async () => {
    await using box = await machine(NM);
    const other = (uuid: string, mode: string) => ({
      connection: { id: `by hand ${mode}`, uuid, type: '802-11-wireless' },
      '802-11-wireless': { ssid: Buffer.from('Home'), mode },
    });
    box.fake.profiles.set('/ap', other('11111111-1111-4111-8111-111111111111', 'ap'));
    box.fake.profiles.set('/hand', other('22222222-2222-4222-8222-222222222222', 'infrastructure'));
    await box.networks.putWifi(wifi('Home', passphrase('correct horse')));
    expect(box.fake.profiles.get('/hand')).toMatchObject({
      connection: { id: 'by hand infrastructure', uuid: '22222222-2222-4222-8222-222222222222' },
      '802-11-wireless-security': { psk: 'correct horse' },
    });
    expect(box.fake.profiles.get('/ap')).not.toHaveProperty('802-11-wireless-security');
    expect(box.profiles()).toHaveLength(3);
  });

  test('fixed addresses come with gateway and name servers, each family for itself', async () => {
    await using box = await machine(NM);
    const ip = {
      addresses: [
        { address: '192.168.1.5', prefix: 24 },
        { address: 'fd00::5', prefix: 64 },
      ],
      gateways: ['192.168.1.1'],
      dns: ['192.168.1.1', 'fd00::1'],
      search: ['lan'],
    };
    await box.networks.putWired({ device: 'eth0', ip });
    await box.networks.putWired({ device: 'eth0', ip });
    expect(box.profiles()).toEqual([
      {
        connection: {
          id: 'eth0 (as the card says)',
          uuid: expect.any(String),
          type: '802-3-ethernet',
          'interface-name': 'eth0',
          'autoconnect-priority': 10,
        },
        ipv4: {
          method: 'manual',
          'address-data': [{ address: '192.168.1.5', prefix: 24 }],
          gateway: '192.168.1.1',
          'dns-data': ['192.168.1.1'],
          'dns-search': ['lan'],
        },
        ipv6: { method: 'manual', 'address-data': [{ address: 'fd00::5', prefix: 64 }], 'dns-data': ['fd00::1'], 'dns-search': ['lan'] },
      },
    ]);
  });

  test('NetworkManager may come later than the import', async () => {
    await using box = await machine('org.example.somebody');
    const put = box.networks.putWifi(wifi('Home', passphrase('correct horse')));
    setTimeout(() => void box.fake.take(NM), 600);
    expect(await put).toBe('done');
    expect(box.profiles()).toHaveLength(2);
  });

  test('a refusal says who refused what, and not the password', async () => {
    await using box = await machine(NM);
    box.fake.refused.add('AddConnection2');
    const error: unknown = await box.networks.putWifi(wifi('Home', passphrase('correct horse'))).catch((cause: unknown) => cause);
    expect(String(error)).toBe('Problem: NetworkManager: Not authorized (org.freedesktop.DBus.Error.AccessDenied)');
    expect(JSON.stringify(error)).not.toContain('horse');
  });

  test('host name, name and time zone go to who keeps them', async () => {
    await using box = await machine('org.freedesktop.hostname1', 'org.freedesktop.timedate1');
    await box.host.setHostname('barn');
    await box.host.setPrettyName('Barn é');
    await box.host.setTimezone('Europe/Paris');
    expect(box.fake.values).toEqual({ SetStaticHostname: 'barn', SetPrettyHostname: 'Barn é', SetTimezone: 'Europe/Paris' });
    box.fake.refused.add('SetTimezone');
    await expect(box.host.setTimezone('Etc/UTC')).rejects.toThrow('org.freedesktop.timedate1: Not authorized');
  });
});
