export * from './fake-clock.ts';
export * from './memory-bus.ts';
