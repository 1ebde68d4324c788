import type { ContainerFacts } from './appliance.ts';

/** Everything that a container may have; what it has beyond is told in words. */
export function hygieneFaults({ Config, HostConfig, Mounts, NetworkSettings }: ContainerFacts): string[] {
  const uid = Number(Config.User.split(':')[0]);
  const publishedTo = Object.entries(NetworkSettings.Ports).flatMap(([port, places]) =>
    (places ?? []).map(({ HostIp }) => ({ port, address: HostIp })),
  );
  const wanted: [boolean, string][] = [
    [uid > 0, `its user is ${Config.User || 'root'}`],
    [HostConfig.ReadonlyRootfs, 'its root is writable'],
    [HostConfig.CapDrop?.includes('ALL') === true, `it keeps capabilities (dropped: ${HostConfig.CapDrop ?? 'none'})`],
    [(HostConfig.CapAdd ?? []).length === 0, `it has the capabilities ${HostConfig.CapAdd}`],
    [HostConfig.SecurityOpt?.includes('no-new-privileges:true') === true, 'it may get new privileges'],
    [!(HostConfig.SecurityOpt ?? []).some((option) => option.includes('unconfined')), 'it is unconfined'],
    [!HostConfig.Privileged, 'it is privileged'],
    [HostConfig.Memory > 0, 'its memory has no limit'],
    [(HostConfig.PidsLimit ?? 0) > 0, 'its processes have no limit'],
    [HostConfig.PidMode === '' && HostConfig.NetworkMode !== 'host' && HostConfig.IpcMode !== 'host', "it shares the machine's namespaces"],
    [(HostConfig.Devices ?? []).length === 0, 'it has devices'],
    [HostConfig.RestartPolicy.Name === 'unless-stopped', `its restart policy is ${HostConfig.RestartPolicy.Name}`],
    [HostConfig.LogConfig.Config['max-size'] !== undefined, 'its log has no limit'],
    [Mounts.every(({ Type }) => Type === 'volume'), 'folders of the machine are mounted in it'],
    ...publishedTo.map(({ port, address }): [boolean, string] => [address === '127.0.0.1', `${port} is published on ${address}`]),
  ];
  return wanted.flatMap(([good, fault]) => (good ? [] : [fault]));
}

/** What the kernel says of the running process itself (proc(5), status), as its own words. */
export function processFaults(status: string): string[] {
  const value = (key: string) => new RegExp(`^${key}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? '';
  const wanted: [boolean, string][] = [
    [/^0+$/.test(value('CapEff')) && /^0+$/.test(value('CapPrm')) && /^0+$/.test(value('CapBnd')), `capabilities ${value('CapBnd')}`],
    [value('NoNewPrivs') === '1', 'new privileges can be had'],
    [value('Seccomp') === '2', 'system calls are not filtered'],
    [Number(value('Uid').split(/\s+/)[0]) > 0, `its user is ${value('Uid')}`],
  ];
  return wanted.flatMap(([good, fault]) => (good ? [] : [fault]));
}
