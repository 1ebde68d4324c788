import { type Operation, problemSchema } from '@ledge/contract';
import { z } from 'zod';

type JsonSchema = Record<string, unknown>;

/** JSON Schema (2020-12) of what goes in, or comes out. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

function parameters(operation: Operation): unknown[] {
  const list = (schema: z.ZodObject | undefined, place: 'path' | 'query') => {
    if (!schema) return [];
    const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
      properties?: Record<string, JsonSchema>;
      required?: string[];
    };
    return Object.entries(properties).map(([name, property]) => ({
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(typeof property.description === 'string' ? { description: property.description } : {}),
      schema: property,
    }));
  };
  return [...list(operation.params, 'path'), ...list(operation.query, 'query')];
}

function requestBody(operation: Operation): JsonSchema {
  if (operation.upload) {
    return {
      requestBody: {
        required: true,
        content: Object.fromEntries(operation.upload.map((type) => [type, { schema: { type: 'string', format: 'binary' } }])),
      },
    };
  }
  if (!operation.body) return {};
  const required = !operation.body.safeParse(undefined).success;
  return { requestBody: { required, content: { 'application/json': { schema: jsonSchema(operation.body, 'input') } } } };
}

function responses(operation: Operation): JsonSchema {
  const problem = {
    description: 'A problem document (RFC 9457)',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  if (operation.streams)
    return { 200: { description: 'A stream', content: { [operation.streams]: { schema: { type: 'string' } } } }, default: problem };
  if (!operation.response || operation.response instanceof z.ZodVoid) return { 204: { description: 'Done' }, default: problem };
  return {
    200: { description: 'The answer', content: { 'application/json': { schema: jsonSchema(operation.response, 'output') } } },
    default: problem,
  };
}

/** OpenAPI 3.1 document of one service. Paths are the service's own; the server puts `/api/<name>` before them when it merges. */
export function openApiDocument(
  info: { name: string; version: string; summary: string },
  operations: readonly Operation[],
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? {};
    paths[operation.path] = path;
    path[operation.method] = {
      operationId: `${info.name}-${operation.method}-${operation.path.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'root'}`,
      tags: [info.name],
      summary: operation.summary,
      security: operation.for === 'public' ? [{}] : [{ session: [] }, { token: [] }],
      'x-audience': operation.for,
      ...(operation.problems ? { 'x-problems': operation.problems } : {}),
      parameters: parameters(operation),
      ...requestBody(operation),
      responses: responses(operation),
    };
  }
  return {
    openapi: '3.1.0',
    info: { title: info.name, version: info.version, description: info.summary },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'ledge' },
        token: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}
