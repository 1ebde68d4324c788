import { thingSchema } from '@ledge/contract';
import { jsonSchema } from '@ledge/kit';
import type { Driver } from '@ledge/sdk';

type JsonSchema = Record<string, unknown>;

/** `source` of each property, wherever a thing file may say it. */
function withSource(source: JsonSchema): JsonSchema {
  const properties = { additionalProperties: { properties: { source } } };
  return { properties, nodes: { additionalProperties: { properties: { properties } } } };
}

/** JSON Schema (2020-12) of a thing file: the contract's own, and for each driver what it wants in `options` and `source`. */
export function thingsJsonSchema(drivers: ReadonlyMap<string, Driver>): JsonSchema {
  const base = jsonSchema(thingSchema, 'input');
  const properties = base.properties as Record<string, JsonSchema>;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A thing of Ledge',
    ...base,
    properties: { ...properties, driver: { ...properties.driver, enum: [...drivers.keys()] } },
    oneOf: [{ required: ['properties'] }, { required: ['nodes'] }],
    allOf: [...drivers.values()].map((driver) => ({
      if: { properties: { driver: { const: driver.name } }, required: ['driver'] },
      // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
      then: { properties: { options: jsonSchema(driver.options, 'input'), ...withSource(jsonSchema(driver.source, 'input')) } },
    })),
  };
}
