export * from './service-manager.ts';
export * from './service-manager-supervisor.ts';
