import { type PropertyConfig, propertySchema, samplingSchema, type Value } from '@ledge/contract';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { Sampler, toRaw, toValue } from './sampling.ts';

const property = (config: z.input<typeof propertySchema>): PropertyConfig => propertySchema.parse(config);

describe('from raw to value', () => {
  test('scales, moves and rounds away what binary floats add', () => {
    expect(toValue(property({ datatype: 'float', scale: 0.1, offset: 0.2 }), 212)).toBe(21.4);
    expect(toValue(property({ datatype: 'float' }), 0.1 + 0.2)).toBe(0.3);
  });

  test('rounds to whole numbers where the datatype is integer', () => {
    expect(toValue(property({ datatype: 'integer', scale: 0.01 }), 2151)).toBe(22);
  });

  test('takes numbers that came as text', () => {
    expect(toValue(property({ datatype: 'float' }), ' 7.5 ')).toBe(7.5);
  });

  test.each<[string, z.input<typeof propertySchema>, Value, string]>([
    ['above the range', { datatype: 'float', min: -40, max: 85, unit: '°C' }, 127.9, 'it reads 127.9 °C; -40 to 85 is believed'],
    ['below the least', { datatype: 'integer', min: 0 }, -1, 'it reads -1; 0 or more is believed'],
    ['no number', { datatype: 'float' }, 'warm', 'it reads "warm"; a number is wanted'],
    ['empty text for a number', { datatype: 'float' }, '', 'it reads ""; a number is wanted'],
    ['not a number', { datatype: 'float' }, Number.NaN, 'it reads null; a number is wanted'],
    ['an unknown word', { datatype: 'enum', values: ['off', 'on'] }, 'auto', 'it reads "auto"; one of off, on is wanted'],
  ])('does not believe a reading that is %s', (_, config, raw, message) => {
    expect(() => toValue(property(config), raw)).toThrow(message);
  });

  test('reads 0 and 1 as booleans', () => {
    expect([0, 1].map((raw) => toValue(property({ datatype: 'boolean' }), raw))).toEqual([false, true]);
  });

  test('goes back to what the driver wants', () => {
    const config = property({ datatype: 'float', scale: 0.1, offset: -40 });
    expect(toValue(config, toRaw(config, 21.5))).toBe(21.5);
    expect(toRaw(config, 21.5)).toBe(615);
  });
});

describe('what is said', () => {
  const said = (sampling: z.input<typeof samplingSchema>, values: [Value, number][]) => {
    const sampler = new Sampler(samplingSchema.parse(sampling));
    return values.filter(([value, timeMs]) => sampler.admits(value, timeMs)).map(([value, timeMs]) => `${value}@${timeMs}`);
  };

  test('is everything, without rules', () => {
    expect(said({}, [[1, 0], [1, 1], [2, 2]])).toEqual(['1@0', '1@1', '2@2']); // biome-ignore format: a table
  });

  test('is what differs, on change', () => {
    expect(said({ onChange: true }, [['a', 0], ['a', 1], ['b', 2], ['b', 3], ['a', 4]])).toEqual(['a@0', 'b@2', 'a@4']); // biome-ignore format: a table
  });

  test('is what moved by the threshold since it was last said, so slow drift is not lost', () => {
    expect(said({ threshold: 0.5 }, [[20, 0], [20.3, 1], [20.5, 2], [20.9, 3], [21, 4]])).toEqual(['20@0', '20.5@2', '21@4']); // biome-ignore format: a table
  });

  test('is an unchanged value again when it was silent for long', () => {
    expect(said({ onChange: true, atLeastEvery: '1s' }, [[1, 0], [1, 999], [1, 1000], [1, 1999], [1, 2000]])).toEqual(['1@0', '1@1000', '1@2000']); // biome-ignore format: a table
  });
});
