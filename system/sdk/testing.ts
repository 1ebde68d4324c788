/** What the tests of a project import beside vitest. */
export * from './testing/driver-contract.ts';
export * from './testing/driver-world.ts';
export * from './testing/fake-processes.ts';
export * from './testing/test-service.ts';
