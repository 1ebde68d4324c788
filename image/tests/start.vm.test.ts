import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@ledge/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { run } from '../run.ts';
import { type StartTimes, startTimes, writeBootReports } from './vm/boot-report.ts';
import { newBox } from './vm/box.ts';
import { built, IMAGE_FOLDER } from './vm/built.ts';
import { readBootFile } from './vm/fat.ts';
import { type Machine, UP_WITHIN_MS } from './vm/machine.ts';
import { findQemu } from './vm/qemu.ts';

/** What we aim at, and what is a fault: our start from power-on, in plain Debian's. */
const GOAL = 1.5;
const AT_MOST = 2.5;
const KERNEL_WITHIN_MS = 120_000;
/** With the Pi's device tree most drivers wait for firmware that QEMU has not. */
const PI_UP_WITHIN_MS = 600_000;
const machines: Machine[] = [];
let ours: StartTimes | undefined;
let box: Machine;

/** Each board measures alone: one that stands idle still takes a third of a processor. */
async function removeAll(): Promise<void> {
  for (const machine of machines.splice(0)) await machine.remove();
}
afterAll(removeAll);

async function board(...args: Parameters<typeof newBox>): Promise<Machine> {
  const machine = await newBox(...args);
  machines.push(machine);
  return machine;
}

describe('virt', () => {
  afterAll(removeAll);

  test('power-on, U-Boot, slot A, all services ready, page served; the second start is held against plain Debian', async () => {
    box = await board('virt');
    await box.powerOn();
    await box.console.wait(/^Ledge: slot A \(normal\)/, KERNEL_WITHIN_MS);
    const firstMs = await box.up();
    expect((await fetch(box.url)).status).toBe(200);
    await box.shell();
    await box.shutDown();

    await box.powerOn();
    const readyMs = await box.up();
    await box.shell();
    ours = await startTimes(box, readyMs);

    const bareS = await bareStart();
    const ratio = ours.ready / bareS;
    const text = [
      `From power-on, emulated (QEMU ${(await findQemu()).version}, virt, 2 Cortex-A53):`,
      `  all services ready   ${ours.ready.toFixed(1)} s (first start of a new card ${(firstMs / 1000).toFixed(1)} s)`,
      `  plain Debian, login  ${bareS.toFixed(1)} s`,
      `  ratio                ${ratio.toFixed(2)} (goal ${GOAL})`,
      `  of ours: U-Boot until its script ${ours.script.toFixed(1)} s, script and loading ${(ours.kernel - ours.script).toFixed(1)} s, ` +
        `kernel and initramfs ${(ours.systemd - ours.kernel).toFixed(1)} s, systemd until all is ready ${(ours.ready - ours.systemd).toFixed(1)} s`,
    ].join('\n');
    console.log(text);
    const files = await writeBootReports(box, text);
    console.log(`written to ${IMAGE_FOLDER}: ${files.join(', ')}`);
    expect(ratio).toBeLessThan(AT_MOST);
  });

  test('chart of the start, memory, sizes and lists of packages lie beside the image', () => {
    const files = [
      'boot-chart.svg',
      'boot-times.txt',
      'memory.txt',
      'sizes.txt',
      'packages.txt',
      'ledge-rpi.spdx.json',
      'SHA256SUMS',
      'SHA256SUMS.sig',
    ];
    const missing = files.filter((name) => !existsSync(join(IMAGE_FOLDER, name)) || statSync(join(IMAGE_FOLDER, name)).size === 0);
    expect(missing).toEqual([]);
    expect(readFileSync(join(IMAGE_FOLDER, 'boot-chart.svg'), 'utf8')).toMatch(/<svg[\s\S]*ledge-server\.service/);
    expect(readFileSync(join(IMAGE_FOLDER, 'memory.txt'), 'utf8')).toMatch(/ledge-broker\.service/);
  });
});

/** Plain Debian with the same kernel and U-Boot: seconds from power-on to its login prompt, at its second start as well. */
async function bareStart(): Promise<number> {
  const bare = await board('bare', { image: built('bare') });
  await bare.powerOn();
  await bare.console.wait(/login: /, UP_WITHIN_MS, { prompt: true });
  await bare.shell();
  await bare.shutDown();
  await bare.powerOn();
  const prompt = await bare.console.wait(/login: /, UP_WITHIN_MS, { prompt: true });
  await bare.cut();
  return prompt.atMs / 1000;
}

/** The Pi's firmware hands over a device tree; QEMU has no firmware, so it gets the one that lies on the card. */
async function pi(name: 'raspi3b' | 'raspi4b', deviceTree: string): Promise<Machine> {
  const machine = await board(name, { board: name, uBoot: built('uBootPi') });
  const file = `${machine.disk.file}.dtb`;
  writeFileSync(file, await readBootFile(machine.disk, deviceTree));
  machine.options.deviceTree = file;
  return machine;
}

/** Everything that a Pi has said on both of its serial ports. */
const said = (machine: Machine) => `${machine.console.text()}\n${machine.second?.text() ?? ''}`;

/**
 * Linux has no network on QEMU's Pis (its USB host loses the adapter: "dwc2: Not connected"), so what is up is asked at the serial
 * console, where a key gives a shell.
 */
async function piStart(machine: Machine, model: RegExp): Promise<void> {
  const startMs = performance.now();
  await machine.powerOn();
  await until('the boot script', () => /^Ledge: slot A \(normal\)/m.test(said(machine)), KERNEL_WITHIN_MS);
  const ports = [machine.console, machine.second].filter((port) => port !== undefined);
  const type = (line: string) => {
    for (const port of ports) port.send(`${line}\r`);
  };
  await until('the banner', () => /press ENTER to login/.test(said(machine)), PI_UP_WITHIN_MS);
  type('');
  await until('a shell on the serial console', () => ports.some((port) => /\$ $/.test(port.text())), 120_000);
  type('tr -d "\\0" </proc/device-tree/model; echo " is it"');
  await until('the model', () => / is it$/m.test(said(machine)), 60_000);
  expect(said(machine)).toMatch(model);
  type(
    'until [ "$(systemctl is-active ledge-broker ledge-device ledge-media ledge-server ledge-sse | uniq)" = active ]; do sleep 1; done; echo "all are" active',
  );
  await until('all services', () => /all are active$/m.test(said(machine)), PI_UP_WITHIN_MS);
  type(`node -e "fetch('http://127.0.0.1/').then((r) => console.log('page', r.status))"`);
  await until('the page', () => /^page 200/m.test(said(machine)), 120_000);
  console.log(
    `${machine.name}: all services ready and the page served within ${((performance.now() - startMs) / 1000).toFixed(0)} s of power-on`,
  );
}

describe('raspi3b', () => {
  afterAll(removeAll);

  test("the same file reaches the services with the Pi's own device tree", async () => {
    await piStart(await pi('raspi3b', 'bcm2837-rpi-3-b.dtb'), /Raspberry Pi 3 Model B.* is it/);
  });
});

describe('raspi4b', async () => {
  const qemu = await findQemu();
  const knows = /raspi4b/.test(await run(qemu.system, ['-M', 'help'], { environment: qemu.environment }));
  test.skipIf(!knows)('the same file reaches the services', async () => {
    await piStart(await pi('raspi4b', 'bcm2711-rpi-4-b.dtb'), /Raspberry Pi 4 Model B.* is it/);
  });
});
