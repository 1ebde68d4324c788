export * from './choose-machine.ts';
export * from './choose-service-manager.ts';
export * from './linux/image-facts.ts';
export * from './machine.ts';
export * from './machine-plain.ts';
export * from './port-owner.ts';
export * from './service-manager.ts';
export * from './service-manager-supervisor.ts';
