import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type StartTimes, startTimes, writeBootReports } from './vm/boot-report.ts';
import { newBox } from './vm/box.ts';
import { built, IMAGE_FOLDER } from './vm/built.ts';
import { type Machine, UP_WITHIN_MS } from './vm/machine.ts';
import { findQemu } from './vm/qemu.ts';

/** What we aim at, and what is a fault: our start from power-on, in plain Debian's. */
const GOAL = 1.5;
const AT_MOST = 2.5;
const KERNEL_WITHIN_MS = 120_000;
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
    const bareS = await bareStart();
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
