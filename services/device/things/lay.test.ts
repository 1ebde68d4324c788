import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@ledge/kit';
import { until } from '@ledge/testing';
import pino from 'pino';
import { expect, test } from 'vitest';
import { keepThingsLaid, layThings } from './lay.ts';

function box(project: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'ledge-lay-'));
  const [from, to] = [join(root, 'project'), join(root, 'things')];
  for (const dir of [from, to]) mkdirSync(dir);
  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => warnings.push(JSON.parse(line).file) });
  const ports = { from, to, recordFile: join(root, 'record.json'), log };
  const offer = (name: string, text: string) => writeFileSync(join(from, name), text);
  for (const [name, text] of Object.entries(project)) offer(name, text);
  return {
    ports,
    warnings,
    offer,
    withdraw: (name: string) => rmSync(join(from, name)),
    lay: () => layThings(ports),
    write: (name: string, text: string) => writeFileSync(join(to, name), text),
    remove: (name: string) => rmSync(join(to, name)),
    content: (name: string) => (existsSync(join(to, name)) ? readFileSync(join(to, name), 'utf8') : undefined),
  };
}

test('a thing file that is new is laid', () => {
  const { lay, content } = box({ 'gauge.yaml': 'one', 'README.md': 'no thing' });
  lay();
  expect(content('gauge.yaml')).toBe('one');
  expect(content('README.md')).toBeUndefined();
});

test('one that nobody changed is replaced by a newer one', () => {
  const { lay, offer, content } = box({ 'gauge.yaml': 'one' });
  lay();
  offer('gauge.yaml', 'two');
  lay();
  expect(content('gauge.yaml')).toBe('two');
});

test('one that a person changed is left, and the log says so once for each newer one', () => {
  const { lay, offer, write, content, warnings } = box({ 'gauge.yaml': 'one' });
  lay();
  write('gauge.yaml', 'mine');
  lay();
  expect(warnings).toEqual([]);
  offer('gauge.yaml', 'two');
  lay();
  lay();
  expect(content('gauge.yaml')).toBe('mine');
  expect(warnings).toEqual(['gauge.yaml']);
});

test('one that a person deleted stays deleted, also when there is a newer one', () => {
  const { lay, offer, remove, content } = box({ 'gauge.yaml': 'one' });
  lay();
  remove('gauge.yaml');
  lay();
  offer('gauge.yaml', 'two');
  lay();
  expect(content('gauge.yaml')).toBeUndefined();
});

test('a file of that name that a person had before is left', () => {
  const { lay, write, content, warnings } = box({ 'gauge.yaml': 'one' });
  write('gauge.yaml', 'mine');
  lay();
  expect(content('gauge.yaml')).toBe('mine');
  expect(warnings).toEqual(['gauge.yaml']);
});

test('what goes from the project goes from the box, unless a person changed it', () => {
  const { lay, withdraw, write, content } = box({ 'a.yaml': 'a', 'b.yaml': 'b' });
  lay();
  write('b.yaml', 'mine');
  withdraw('a.yaml');
  withdraw('b.yaml');
  lay();
  expect(content('a.yaml')).toBeUndefined();
  expect(content('b.yaml')).toBe('mine');
});

test('a power cut between a file and the record of it changes nothing', () => {
  const { lay, offer, ports, content, warnings } = box({ 'gauge.yaml': 'one' });
  lay();
  const before = readFileSync(ports.recordFile);
  offer('gauge.yaml', 'two');
  lay();
  writeFileSync(ports.recordFile, before);
  offer('gauge.yaml', 'two');
  lay();
  offer('gauge.yaml', 'three');
  lay();
  expect(content('gauge.yaml')).toBe('three');
  expect(warnings).toEqual([]);
});

test('a change in the project is laid while the service runs', async () => {
  const { ports, offer, content } = box({ 'gauge.yaml': 'one' });
  const laying = keepThingsLaid(ports, systemClock);
  try {
    expect(content('gauge.yaml')).toBe('one');
    offer('gauge.yaml', 'two');
    await until('the newer one', () => content('gauge.yaml') === 'two');
  } finally {
    laying.stop();
  }
});
