import { join } from 'node:path';
import type { BuiltProject } from '@ledge/kit';

/** The services tree in start order; stopping goes backwards. Memory limits are resident set sizes for a 512 MB board. */
export interface ServicePlan {
  name: string;
  /** The program: a bundle or a source file. */
  module: string;
  memoryLimitMb: number;
  /** Of a project's program: another one is another program at the same place. */
  sha256?: string;
  /** Without it the box still is one: it may fail to start, and may come and go. */
  isOptional?: boolean;
}

/** The part of the memory limit that V8's old space may take; buffers, code and stacks need the rest. */
const HEAP_SHARE = 0.6;
/** For `--max-old-space-size`, MB. */
export const heapLimitMb = (memoryLimitMb: number): number => Math.round(memoryLimitMb * HEAP_SHARE);

/** What each of our services may take, in start order. */
export const OUR_PLANS = [
  { name: 'broker', memoryLimitMb: 256 },
  { name: 'device', memoryLimitMb: 192 },
  { name: 'sse', memoryLimitMb: 192 },
  { name: 'media', memoryLimitMb: 160 },
  { name: 'server', memoryLimitMb: 256 },
] as const;

/**
 * Ours, then those of the project: they stop first. A device service with drivers of the project stands in for ours.
 * @param moduleOf the program of a service of ours
 */
export function servicePlans(moduleOf: (name: string) => string, project: BuiltProject | undefined): ServicePlan[] {
  const ours = OUR_PLANS.map((service) =>
    service.name === 'device' && project?.device
      ? { ...service, module: join(project.dir, project.device.module), sha256: project.device.sha256 }
      : { ...service, module: moduleOf(service.name) },
  );
  const others = project?.services.map((service) => ({ ...service, module: join(project.dir, service.module), isOptional: true }));
  return [...ours, ...(others ?? [])];
}
