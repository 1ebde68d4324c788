/** `./build.sh boot`: the card's file in QEMU, with its ports on this machine, for trying the firmware without a board. */
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isPortFree } from '@ledge/host';
import { run } from './run.ts';

const USAGE = `Usage: ./build.sh boot [--fresh] [--card FILE] [--http-port N] [--mqtt-port N] [--ssh-port N] [--memory MIB]

Boots dist/image/ledge-rpi.img in QEMU (arm64, emulated: about a minute). What the box stores is kept in card.qcow2 beside the image.
  --fresh         forget that, and start as a freshly written card
  --card FILE     another image
  --http-port N   the box's web page on this machine (default 8088)
  --mqtt-port N   its MQTT broker (default 1889)
  --ssh-port N    its SSH, off until a key is given in ledge.yaml (default 2222)
  --memory MIB    of the box (default 1024; a Zero 2 W has 512)
The console is this terminal; Ctrl-A then X ends it.`;

const CARD_SIZE = '8G';
const { values } = parseArgs({
  options: {
    fresh: { type: 'boolean', default: false },
    card: { type: 'string', default: join(import.meta.dirname, '..', 'dist', 'image', 'ledge-rpi.img') },
    'http-port': { type: 'string', default: '8088' },
    'mqtt-port': { type: 'string', default: '1889' },
    'ssh-port': { type: 'string', default: '2222' },
    memory: { type: 'string', default: '1024' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (values.help) {
    console.log(USAGE);
    return;
  }
  if (!existsSync(values.card)) throw new Error(`${values.card} is not there; ./build.sh image rpi makes it.`);
  const forwards: string[] = [];
  for (const [option, port] of [
    ['http-port', 80],
    ['mqtt-port', 1883],
    ['ssh-port', 22],
  ] as const) {
    const here = Number(values[option]);
    if (!Number.isInteger(here) || here < 1 || here > 65_535)
      throw new Error(`--${option} is ${values[option]}; a port from 1 to 65535 is wanted`);
    if (!(await isPortFree(here, '127.0.0.1'))) throw new Error(`port ${here} is in use; choose another with --${option}`);
    forwards.push(`hostfwd=tcp:127.0.0.1:${here}-:${port}`);
  }
  const stored = join(values.card, '..', 'card.qcow2');
  if (values.fresh) rmSync(stored, { force: true });
  if (!existsSync(stored)) await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', values.card, stored, CARD_SIZE]);
  console.log(`The box's page: http://127.0.0.1:${values['http-port']}/   MQTT: port ${values['mqtt-port']}   end: Ctrl-A, X`);
  const qemu = spawn('qemu-system-aarch64', qemuArguments(join(values.card, '..', 'u-boot-qemu.bin'), stored, values.memory, forwards), {
    stdio: 'inherit',
  });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    qemu.once('error', reject);
    qemu.once('exit', (code) => resolve(code ?? 1));
  });
}

const qemuArguments = (firmware: string, disk: string, memory: string, forwards: readonly string[]) => [
  ...['-M', 'virt,acpi=off', '-cpu', 'cortex-a53', '-smp', '2', '-m', memory, '-nographic', '-bios', firmware],
  ...['-drive', `if=none,file=${disk.replaceAll(',', ',,')},format=qcow2,id=card,discard=unmap`, '-device', 'virtio-blk-pci,drive=card'],
  ...['-netdev', ['user', 'id=lan', ...forwards].join(','), '-device', 'virtio-net-pci,netdev=lan,romfile='],
  ...['-device', 'virtio-rng-pci', '-device', 'i6300esb'],
];

try {
  await main();
} catch (error) {
  console.error(`boot: ${(error as Error).message}`);
  process.exitCode = 1;
}
