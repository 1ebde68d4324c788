import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { freeId, idOf } from '../../client/ids.ts';
import { scalar, topValue, withTopValue } from './yaml.ts';

test.each(['Garden gate', 'no', '12', '- x', 'a: b', 'a #b', '"', "l'été", ' x', '{', '1e3', 'Étage 2', '@x', 'null'])(
  'the text %j is read again as it was written',
  (text) => {
    expect(parse(`name: ${scalar(text)}`)).toEqual({ name: text });
  },
);

test('a value is changed, added after another, and taken away; the rest stays', () => {
  const yaml = '# mine\nname: Gate # old\ndriver: gpio\nproperties:\n  name: { datatype: float }\n';
  expect(withTopValue(yaml, 'name', 'Door: big')).toBe(yaml.replace('Gate # old', '"Door: big"'));
  expect(withTopValue(yaml, 'room', '$1 Garden', 'driver')).toBe(yaml.replace('gpio\n', 'gpio\nroom: "$1 Garden"\n'));
  expect(withTopValue(yaml, 'name', ' ')).toBe(yaml.replace('name: Gate # old\n', ''));
  expect(withTopValue('driver: gpio\n', 'name', 'Gate')).toBe('name: Gate\ndriver: gpio\n');
});

test('the value of a top key is read whatever quotes it has', () => {
  expect(topValue("name: 'l''heure'\n", 'name')).toBe("l'heure");
  expect(topValue('a: 1\nname: "a \\"b\\""', 'name')).toBe('a "b"');
  expect(topValue('name: Gate # old', 'name')).toBe('Gate');
  expect(topValue('x:\n  name: Gate', 'name')).toBeUndefined();
});

test('a name suggests an id', () => {
  expect(['Salle à manger', ' Grün 2! ', '***', `${'a'.repeat(63)} b`].map(idOf)).toEqual([
    'salle-a-manger',
    'gruen-2',
    '',
    'a'.repeat(63),
  ]);
  expect(freeId('a', new Set(['a', 'a-2']))).toBe('a-3');
});
