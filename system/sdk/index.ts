/**
 * What a project imports: everything a service or a driver of its own needs, and nothing else. Its surface is recorded in `surface.txt`;
 * a change to it is a new version, and an entry in the CHANGELOG.
 */
export {
  type AccessRule,
  type Audience,
  type CallerRole,
  type Datatype,
  type DeviceState,
  type Operation,
  operation,
  Problem,
  type ProblemCode,
  type PropertyConfig,
  type Tile,
  type Value,
} from '@ledge/contract';
export {
  type Action,
  type Api,
  type Bus,
  type Caller,
  type Clock,
  defineService,
  type Handled,
  type Logger,
  type Message,
  main,
  type Payload,
  type PublishOptions,
  type Random,
  type Running,
  type ServiceContext,
  type ServiceDefinition,
} from '@ledge/kit';
export { Counter, Gauge, Histogram } from 'prom-client';
export { z } from 'zod';
export * from './driver.ts';
export { polledThing } from './polled.ts';
export { defineSensor, type ReadContext, type Sensor } from './sensor.ts';
export { suggestion } from './suggestion.ts';
