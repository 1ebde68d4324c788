/**
 * Global set-up of the Vitest projects that need a Docker engine: one that answers, or one of our own, with the images of these sources in it.
 * Where none can be had, their tests are skipped.
 */
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { run } from '../../run.ts';
import { openEngine, whyNoContainers } from './engine.ts';

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const why = await whyNoContainers();
  if (why !== undefined) {
    console.log(`the tests that need a Docker engine are skipped: ${why}`);
    return undefined;
  }
  const engine = await openEngine();
  try {
    console.log(await run('node', [join(import.meta.dirname, '..', 'main.ts')], { environment: { DOCKER_HOST: engine.host } }));
    project.provide('containers', { host: engine.host, isOurs: engine.isOurs });
  } catch (error) {
    await engine.stop();
    throw error;
  }
  return () => engine.stop();
}
