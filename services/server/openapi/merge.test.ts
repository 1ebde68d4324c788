import { deviceApi, mediaApi, serverApi } from '@ledge/contract';
import { openApiDocument } from '@ledge/kit';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { mergeOpenApi, type OpenApiDocument } from './merge.ts';

const INFO = { title: 'Garden', version: '0.1.0', description: 'All services' };
const part = (name: string, api: Record<string, Parameters<typeof openApiDocument>[1][number]>) =>
  openApiDocument({ name, version: '0.1.0', summary: name }, Object.values(api)) as unknown as OpenApiDocument;

test('the merged document of our services is valid OpenAPI 3.1', async () => {
  const parts = new Map([
    ['device', part('device', deviceApi)],
    ['media', part('media', mediaApi)],
    ['server', part('server', serverApi)],
  ]);
  const merged = mergeOpenApi(INFO, parts, 'ledge');
  const result = await new Validator().validate(structuredClone(merged) as unknown as Record<string, unknown>);
  expect(result.errors).toBeUndefined();
  expect(result.valid).toBe(true);
  expect(Object.keys(merged.paths)).toContain('/api/media/queue/{id}');
  expect(Object.keys(merged.paths)).toContain('/api/media');
  const ids = Object.values(merged.paths).flatMap((item) => Object.values(item).map((o) => (o as { operationId: string }).operationId));
  expect(new Set(ids).size).toBe(ids.length);
});

test('schemas of one name from two services do not clash', () => {
  const document = (type: string): OpenApiDocument => ({
    openapi: '3.1.0',
    info: { title: 'x', version: '1' },
    paths: { '/': { get: { responses: { 200: { $ref: '#/components/schemas/Item' } } } } },
    components: { schemas: { Item: { type, items: [{ $ref: '#/components/schemas/Item' }] } } },
  });
  const merged = mergeOpenApi(
    INFO,
    new Map([
      ['a', document('string')],
      ['b', document('number')],
    ]),
    'ledge',
  );
  expect(merged.components?.schemas).toEqual({
    'a.Item': { type: 'string', items: [{ $ref: '#/components/schemas/a.Item' }] },
    'b.Item': { type: 'number', items: [{ $ref: '#/components/schemas/b.Item' }] },
  });
  expect(merged.paths['/api/b']).toEqual({ get: { responses: { 200: { $ref: '#/components/schemas/b.Item' } } } });
});
