/**
 * What a project imports: everything that a service or a driver of its own needs, and nothing else. Its surface is recorded in surface.txt; to
 * change it is a new version, with an entry in the CHANGELOG: `node tools/sdk/main.ts`.
 */
export {
  type Answer,
  type Audience,
  type Call,
  type CallerRole,
  type Datatype,
  type DeviceState,
  EVENTS,
  type EventKind,
  type EventPayload,
  type FieldError,
  type Method,
  type Operation,
  type Out,
  operation,
  PROBLEMS,
  Problem,
  type ProblemCode,
  type ProblemDocument,
  type PropertyConfig,
  type Role,
  type SamplingRules,
  type Tile,
  type Value,
} from '@ledge/contract';
export {
  type Action,
  type Actions,
  type Api,
  type Bus,
  type Caller,
  type Clock,
  defineService,
  type Handled,
  type Logger,
  type Message,
  main,
  type PartFacts,
  type Payload,
  type Precious,
  type PreciousItem,
  type PublishOptions,
  type Random,
  type Received,
  type Running,
  type ServiceContext,
  type ServiceDefinition,
  type Things,
  type ValueFacts,
} from '@ledge/kit';
export { Counter, Gauge, Histogram } from 'prom-client';
export { z } from 'zod';
export * from './driver.ts';
export { polledThing } from './polled.ts';
export { defineSensor, type Nothing, type ReadContext, type Sensor } from './sensor.ts';
export { type SuggestedThing, suggestion } from './suggestion.ts';
