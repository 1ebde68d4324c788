export * from './fake-clock.ts';
export * from './memory-bus.ts';
export * from './mosquitto.ts';
export * from './private-bus.ts';
export * from './wait.ts';
export * from './wav.ts';
