export { broker } from './broker.ts';
export { type BrokerSettings, brokerSettings } from './config.ts';
