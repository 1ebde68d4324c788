import { z } from 'zod';
import { operation } from '../operation.ts';
import { valueSchema } from '../readings.ts';
import { idSchema, thingViewSchema } from '../things.ts';

const address = z.object({ thing: idSchema, node: idSchema, property: idSchema });
const thingParams = z.object({ thing: idSchema });
const thingFile = z.object({ yaml: z.string().max(256 * 1024) });

export const deviceApi = {
  things: operation({
    method: 'get',
    path: '/things',
    summary: 'All things with their present values',
    for: 'viewer',
    response: z.array(thingViewSchema),
  }),
  thing: operation({
    method: 'get',
    path: '/things/{thing}',
    summary: 'One thing',
    for: 'viewer',
    params: thingParams,
    response: thingViewSchema,
    problems: ['not-found'],
  }),
  readFile: operation({
    method: 'get',
    path: '/things/{thing}/file',
    summary: 'The YAML of a thing, with the passwords and keys that may be in it',
    for: 'admin',
    params: thingParams,
    response: thingFile,
    problems: ['not-found'],
  }),
  writeFile: operation({
    method: 'put',
    path: '/things/{thing}/file',
    summary: 'Add a thing or change its YAML; refused with line and key when it has a mistake',
    for: 'admin',
    params: thingParams,
    body: thingFile,
    response: thingViewSchema,
    problems: ['thing-invalid'],
  }),
  remove: operation({
    method: 'delete',
    path: '/things/{thing}',
    summary: 'Remove a thing and its file',
    for: 'admin',
    params: thingParams,
    response: z.void(),
    problems: ['not-found'],
  }),
  command: operation({
    method: 'put',
    path: '/things/{thing}/{node}/{property}',
    summary: 'Set a property; answers when the thing acknowledged, refused, or did not answer in time',
    for: 'admin',
    params: address,
    body: z.object({ value: z.union([valueSchema, z.record(z.string(), z.unknown()), z.array(z.unknown())]) }),
    response: z.object({ outcome: z.literal('acknowledged'), value: valueSchema, time: z.iso.datetime() }),
    problems: ['not-found', 'not-settable', 'invalid-value', 'command-rejected', 'command-timed-out'],
  }),
  drivers: operation({
    method: 'get',
    path: '/drivers',
    summary: 'Drivers, whether this machine has what they need, and a YAML example of each',
    for: 'viewer',
    response: z.array(
      z.object({ name: z.string(), summary: z.string(), available: z.boolean(), why: z.string().optional(), example: z.string() }),
    ),
  }),
  schema: operation({
    method: 'get',
    path: '/things.schema.json',
    summary: 'JSON Schema of a thing file, for editors',
    for: 'viewer',
    response: z.record(z.string(), z.unknown()),
  }),
} as const;
