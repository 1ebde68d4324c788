import { join } from 'node:path';
import { portName, rootShellArguments, SHELLS } from './root-shell-unit.ts';

export type Board = 'virt' | 'raspi3b';

/** `restricted`: an address, but nobody else is there; `none`: no network card at all. Ports are forwarded except with `none`. */
export type Network = 'user' | 'restricted' | 'none';

export interface Ports {
  http: number;
  mqtt: number;
  mqtts: number;
  ssh: number;
}

export interface MachineParts {
  board: Board;
  /** U-Boot's binary for that board. */
  uBoot: string;
  /** The Pi's device tree, which its own firmware would hand over. */
  deviceTree?: string | undefined;
  card: string;
  /** Raw files that appear as further read-only disks. */
  drives: readonly string[];
  /** Sockets and the like are made here. */
  folder: string;
  network: Network;
  ports: Ports;
  memoryMib: number;
  processors: number;
  /** What the clock says at power-on, as `-rtc base=` wants it; else this machine's time. */
  clock?: string | undefined;
  /** It gets its memory over the control socket instead of starting. */
  waitsForMemory?: boolean;
}

/** On the I2C bus of the emulated Pi's pins. */
export const THERMOMETER_ADDRESS = 0x49;

const GUEST_PORTS: Ports = { http: 80, mqtt: 1883, mqtts: 8883, ssh: 22 };

function network({ network, ports }: MachineParts, device: string): string[] {
  if (network === 'none') return ['-nic', 'none'];
  const forwards = Object.entries(GUEST_PORTS).map(([name, port]) => `hostfwd=tcp:127.0.0.1:${ports[name as keyof Ports]}-:${port}`);
  const restrict = network === 'restricted' ? ',restrict=on' : '';
  return ['-netdev', `user,id=net0${restrict},${forwards.join(',')}`, '-device', `${device},netdev=net0`];
}

/** A socket that QEMU waits on, so that nothing is lost before somebody listens. */
const socket = (folder: string, id: string) => ['-chardev', `socket,id=${id},path=${join(folder, id)},server=on,wait=on`];

const serial = (folder: string, id: string) => [...socket(folder, id), '-serial', `chardev:${id}`];

/** Names of the sockets in `folder`. */
export const SOCKETS = { qmp: 'qmp', console: 'console', second: 'second', shells: Array.from({ length: SHELLS }, (_, i) => `shell${i}`) };

/** QEMU's arguments for a machine that stands still until `cont`. */
export function machineArguments(parts: MachineParts): string[] {
  const { board, folder, clock, waitsForMemory } = parts;
  const common = ['-S', '-display', 'none', '-monitor', 'none', '-nodefaults', '-no-user-config'];
  const control = ['-qmp', `unix:${join(folder, SOCKETS.qmp)},server=on,wait=off`];
  const time = clock ? ['-rtc', `base=${clock}`] : [];
  const memory = waitsForMemory ? ['-incoming', 'defer'] : [];
  return [...common, ...control, ...time, ...memory, ...(board === 'virt' ? virt(parts) : pi(parts))];
}

function virt(parts: MachineParts): string[] {
  const { folder, card, drives, uBoot, memoryMib, processors } = parts;
  return [
    // with ACPI there would be neither the GPIO chip nor, on it, the power button
    ...['-M', 'virt,acpi=off', '-cpu', 'cortex-a53', '-smp', String(processors), '-m', String(memoryMib), '-bios', uBoot],
    ...['-drive', `if=none,id=card,file=${card},format=qcow2,discard=unmap`, '-device', 'virtio-blk-pci,drive=card,bootindex=0'],
    ...drives.flatMap((file, i) => [
      ...['-drive', `if=none,id=more${i},file=${file},format=raw,readonly=on`],
      ...['-device', `virtio-blk-pci,drive=more${i},serial=more${i}`],
    ]),
    ...['-device', 'virtio-rng-pci', '-device', 'i6300esb', '-action', 'watchdog=reset'],
    ...network(parts, 'virtio-net-pci,romfile='),
    ...serial(folder, SOCKETS.console),
    ...['-device', 'virtio-serial-pci'],
    ...SOCKETS.shells.flatMap((id, i) => [
      ...socket(folder, id),
      ...['-device', `virtserialport,chardev=${id},name=${portName(i)},nr=${i + 1}`],
    ]),
    ...rootShellArguments(folder),
  ];
}

/** No virtio, no fw_cfg: what a test learns of a Pi comes over its serial ports and its (USB) network. */
function pi(parts: MachineParts): string[] {
  const { board, folder, card, uBoot, deviceTree } = parts;
  return [
    ...['-M', board, '-kernel', uBoot],
    ...(deviceTree ? ['-dtb', deviceTree] : []),
    ...['-drive', `if=sd,file=${card},format=qcow2`],
    ...serial(folder, SOCKETS.console),
    ...serial(folder, SOCKETS.second),
    // a thermometer on pins 3 and 5
    ...['-device', `tmp105,bus=i2c-bus.1,address=${THERMOMETER_ADDRESS}`],
    ...(parts.network === 'none' ? [] : network(parts, 'usb-net')),
  ];
}
