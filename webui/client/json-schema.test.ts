import { expect, test } from 'vitest';
import { choicesOf, type FieldSchema, inputOf, kindOf, limitsOf, valueFor } from './json-schema.ts';

test.each<[FieldSchema, string]>([
  [{ type: 'string' }, 'text'],
  [{ type: 'string', writeOnly: true }, 'secret'],
  [{ type: 'string', enum: ['a', 'b'] }, 'choice'],
  [{ anyOf: [{ const: 'a' }, { const: 'b' }] }, 'choice'],
  [{ anyOf: [{ type: 'integer' }, { type: 'null' }] }, 'number'],
  [{ type: 'boolean' }, 'switch'],
  [{ type: 'array', items: { type: 'string' } }, 'list'],
  [{ type: 'array', items: { type: 'object' } }, 'json'],
  [{}, 'json'],
])('%j is drawn as %s', (schema, kind) => {
  expect(kindOf(schema)).toBe(kind);
});

test('a choice keeps the type of its values', () => {
  const schema = { enum: [1, 2] };
  expect(choicesOf(schema)).toEqual(['1', '2']);
  expect(valueFor(schema, '2')).toEqual({ value: 2 });
});

test('numbers are checked before the box is asked', () => {
  const schema = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
  expect(limitsOf(schema)).toEqual({ min: 1 });
  expect(valueFor(schema, ' 12 ')).toEqual({ value: 12 });
  expect(valueFor(schema, '')).toEqual({ fault: { kind: 'number' } });
  expect(valueFor(schema, '1,5')).toEqual({ fault: { kind: 'whole' } });
  expect(valueFor(schema, '0')).toEqual({ fault: { kind: 'min', limit: 1 } });
  expect(valueFor({ type: 'number', maximum: 2 }, '2.5')).toEqual({ fault: { kind: 'max', limit: 2 } });
});

test('lists are lines, and come back as they were', () => {
  const schema = { type: 'array', items: { type: 'string' } };
  expect(valueFor(schema, inputOf(schema, ['a', 'b c']))).toEqual({ value: ['a', 'b c'] });
  expect(valueFor(schema, ' a \n\n')).toEqual({ value: ['a'] });
});

test('what has no control of its own is JSON', () => {
  expect(valueFor({}, '[{"a":1}]')).toEqual({ value: [{ a: 1 }] });
  expect(valueFor({}, '[')).toEqual({ fault: { kind: 'json' } });
});
