/** What the tests of a project import beside vitest. Part of the recorded surface, as index.ts is. */
export type { HomieProperty } from '@ledge/contract';
export type { FakeClock, MemoryBus } from '@ledge/testing';
export * from './testing/driver-contract.ts';
export * from './testing/driver-world.ts';
export * from './testing/fake-processes.ts';
export * from './testing/test-service.ts';
