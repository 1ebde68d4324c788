import { z } from 'zod';
import { operation } from '../operation.ts';
import { valueSchema } from '../readings.ts';
import { idSchema, thingFileViewSchema, thingViewSchema, trialReadingSchema } from '../things.ts';

const address = z.object({ thing: idSchema, node: idSchema, property: idSchema });
const thingParams = z.object({ thing: idSchema });
/** Also of a file that is there under a name which is no id: it can be read and removed. */
const fileParams = z.object({ thing: z.string().min(1).max(255) });
const suggestion = z.object({ title: z.string(), yaml: z.string() });
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
  files: operation({
    method: 'get',
    path: '/files',
    summary: 'All thing files, also those that cannot be used, with the mistake that is in them',
    for: 'admin',
    response: z.array(thingFileViewSchema),
  }),
  readFile: operation({
    method: 'get',
    path: '/things/{thing}/file',
    summary: 'The YAML of a thing, with the passwords and keys that may be in it',
    for: 'admin',
    params: fileParams,
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
  test: operation({
    method: 'post',
    path: '/things/{thing}/test',
    summary: 'Try a YAML out: reads each property once, and saves, says and moves nothing; a running thing of this id is not disturbed',
    for: 'admin',
    params: thingParams,
    body: thingFile,
    response: z.object({ readings: z.array(trialReadingSchema) }),
    problems: ['thing-invalid'],
  }),
  enable: operation({
    method: 'put',
    path: '/things/{thing}/enabled',
    summary: 'Switch a thing off without removing it, or on again; its file keeps its comments and order',
    for: 'admin',
    params: thingParams,
    body: z.object({ enabled: z.boolean() }),
    response: thingViewSchema,
    problems: ['not-found', 'thing-invalid'],
  }),
  remove: operation({
    method: 'delete',
    path: '/things/{thing}',
    summary: 'Remove a thing and its file',
    for: 'admin',
    params: fileParams,
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
    summary: 'Drivers, whether this machine has what they need, a YAML example and template of each, and what was found for them just now',
    for: 'viewer',
    response: z.array(
      z.object({
        name: z.string(),
        summary: z.string(),
        available: z.boolean(),
        why: z.string().optional(),
        example: z.string(),
        template: z.string().meta({ description: 'a good start for a new thing, with comments' }),
        found: z.array(suggestion).meta({ description: 'things that this machine could have: sensors, chips, ports' }),
      }),
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
