export * from './port-owner.ts';
export * from './service-manager.ts';
export * from './service-manager-supervisor.ts';
