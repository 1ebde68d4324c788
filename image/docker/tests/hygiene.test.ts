import { expect, test } from 'vitest';
import type { ContainerFacts } from './appliance.ts';
import { hygieneFaults, processFaults } from './hygiene.ts';

/** What the engine tells of a container that is shut in. */
const facts = (): ContainerFacts => ({
  State: { Pid: 1, StartedAt: '', Running: true, ExitCode: 0, OOMKilled: false },
  Config: { User: '10001:10001', Image: 'ledge' },
  HostConfig: {
    ...{
      Privileged: false,
      ReadonlyRootfs: true,
      CapAdd: null,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Memory: 1,
      PidsLimit: 1,
    },
    ...{ NetworkMode: 'ledge_default', PidMode: '', IpcMode: 'private', Devices: null, RestartPolicy: { Name: 'unless-stopped' } },
    LogConfig: { Type: 'json-file', Config: { 'max-size': '5m' } },
  },
  Mounts: [{ Type: 'volume', Destination: '/var/lib/ledge', RW: true }],
  NetworkSettings: { Ports: { '1883/tcp': [{ HostIp: '127.0.0.1', HostPort: '1883' }], '8080/tcp': null } },
});
const STATUS =
  'Uid:\t10001\t10001\t10001\t10001\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n';

test('a container that is shut in has no fault', () => {
  expect(hygieneFaults(facts())).toEqual([]);
  expect(processFaults(STATUS)).toEqual([]);
});

test.each<[string, (container: ContainerFacts) => void]>([
  ['its user is root', ({ Config }) => (Config.User = '')],
  ['its user is 0', ({ Config }) => (Config.User = '0')],
  ['its root is writable', ({ HostConfig }) => (HostConfig.ReadonlyRootfs = false)],
  ['it keeps capabilities (dropped: none)', ({ HostConfig }) => (HostConfig.CapDrop = null)],
  ['it has the capabilities NET_ADMIN', ({ HostConfig }) => (HostConfig.CapAdd = ['NET_ADMIN'])],
  ['it may get new privileges', ({ HostConfig }) => (HostConfig.SecurityOpt = null)],
  ['its memory has no limit', ({ HostConfig }) => (HostConfig.Memory = 0)],
  ['its processes have no limit', ({ HostConfig }) => (HostConfig.PidsLimit = null)],
  ["it shares the machine's namespaces", ({ HostConfig }) => (HostConfig.NetworkMode = 'host')],
  ['folders of the machine are mounted in it', ({ Mounts }) => Mounts.push({ Type: 'bind', Destination: '/', RW: true })],
  [
    '8080/tcp is published on 0.0.0.0',
    ({ NetworkSettings }) => (NetworkSettings.Ports['8080/tcp'] = [{ HostIp: '0.0.0.0', HostPort: '80' }]),
  ],
  ['8080/tcp is published on ', ({ NetworkSettings }) => (NetworkSettings.Ports['8080/tcp'] = [{ HostIp: '', HostPort: '80' }])],
])('%s', (fault, open) => {
  const container = facts();
  open(container);
  expect(hygieneFaults(container)).toEqual([fault]);
});

test('what the kernel says of the process counts, whatever the engine was told', () => {
  expect(processFaults(STATUS.replace('CapBnd:\t0000000000000000', 'CapBnd:\t00000000a80425fb'))).toEqual([
    'capabilities 00000000a80425fb',
  ]);
  expect(processFaults(STATUS.replace('NoNewPrivs:\t1', 'NoNewPrivs:\t0'))).toEqual(['new privileges can be had']);
  expect(processFaults('')).toHaveLength(4);
});
