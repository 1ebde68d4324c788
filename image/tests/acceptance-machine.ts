/**
 * Global set-up of the Vitest project `vm-acceptance`: the acceptance tests drive a box in an emulated board instead of programs on
 * this machine. See `acceptance/appliance.ts`.
 */
import type { TestProject } from 'vitest/node';
import { startedBox } from './vm/box.ts';
import { slownessOf } from './vm/slowness.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const box = await startedBox('acceptance');
  try {
    // the board's clock has whole seconds, and these tests hold its times against ours
    await box.sh(`date -u -s @${(Date.now() / 1000 + 0.1).toFixed(3)}`);
    const slowness = await slownessOf(box);
    console.log(`acceptance in the board, which is ${slowness.toFixed(1)} times slower than this machine`);
    project.provide('board', { url: box.url, mqttPort: box.ports.mqtt, shell: box.lendShell(), slowness });
  } catch (error) {
    await box.remove();
    throw error;
  }
  return () => box.remove();
}
