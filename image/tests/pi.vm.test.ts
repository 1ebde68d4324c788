import { writeFileSync } from 'node:fs';
import { until } from '@ledge/testing';
import { afterAll, expect, test } from 'vitest';
import { newBox } from './vm/box.ts';
import { built } from './vm/built.ts';
import { putBootFiles, readBootFile } from './vm/fat.ts';
import type { Machine } from './vm/machine.ts';
import { THERMOMETER_ADDRESS } from './vm/machine-arguments.ts';

const BOOT_SCRIPT_WITHIN_MS = 120_000;
/** With the Pi's device tree most drivers wait for firmware that QEMU has not. */
const UP_WITHIN_MS = 900_000;
let machine: Machine | undefined;

afterAll(() => machine?.remove());

test("raspi3b: the same file reaches the services with the Pi's own device tree, and knows what is wired to its pins", async () => {
  machine = await pi3();
  const hardware = (await readBootFile(machine.disk, 'hardware.txt')).toString();
  const filledIn = hardware.replace(/^one_wire=$/m, 'one_wire=4').replace(/^i2c=$/m, `i2c=tmp105@${THERMOMETER_ADDRESS.toString(16)}`);
  await putBootFiles(machine.disk, { 'hardware.txt': filledIn.replaceAll('\n', '\r\n') });
  await piStart(machine, /Raspberry Pi 3 Model B.* is it/);
});

/** The Pi's firmware hands over a device tree; QEMU has no firmware, so it gets the one that lies on the card. */
async function pi3(): Promise<Machine> {
  const machine = await newBox('raspi3b', { board: 'raspi3b', uBoot: built('uBootPi') });
  const file = `${machine.disk.file}.dtb`;
  writeFileSync(file, await readBootFile(machine.disk, 'bcm2837-rpi-3-b.dtb'));
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
  await until('the boot script', () => /^Ledge: slot A \(normal\)/m.test(said(machine)), BOOT_SCRIPT_WITHIN_MS);
  const ports = [machine.console, machine.second].filter((port) => port !== undefined);
  const type = (line: string) => {
    for (const port of ports) port.send(`${line}\r`);
  };
  await until('the banner', () => /press ENTER to login/.test(said(machine)), UP_WITHIN_MS);
  type('');
  await until('a shell on the serial console', () => ports.some((port) => /\$ $/.test(port.text())), 120_000);
  type('tr -d "\\0" </proc/device-tree/model; echo " is it"');
  await until('the model', () => / is it$/m.test(said(machine)), 60_000);
  expect(said(machine)).toMatch(model);
  type(
    'until [ "$(systemctl is-active ledge-broker ledge-device ledge-media ledge-server ledge-sse | uniq)" = active ]; do sleep 1; done; echo "all are" active',
  );
  await until('all services', () => /all are active$/m.test(said(machine)), UP_WITHIN_MS);
  type(`node -e "fetch('http://127.0.0.1/').then((r) => console.log('page', r.status))"`);
  await until('the page', () => /^page 200/m.test(said(machine)), 120_000);
  type('echo "1-Wire is" $(ls /sys/bus/w1/devices), "I2C is" $(cat /sys/class/hwmon/hwmon*/name)');
  await until('what is on the pins', () => /^1-Wire is .*I2C is/m.test(said(machine)), 60_000);
  expect(said(machine)).toMatch(/^1-Wire is .*w1_bus_master1, I2C is .*tmp105/m);
  console.log(
    `${machine.name}: all services ready and the page served within ${((performance.now() - startMs) / 1000).toFixed(0)} s of power-on`,
  );
}
