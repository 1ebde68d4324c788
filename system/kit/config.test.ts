import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '@ledge/contract';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { brokerUrl, readEdge, Settings } from './config.ts';
import { DataDir } from './paths.ts';

const schema = z.object({
  port: z.int().min(1).max(65535).default(1883).meta({ title: 'Port', restart: true }),
  greeting: z.string().default('hello').meta({ title: 'Greeting' }),
  loud: z.boolean().default(false).meta({ title: 'Loud' }),
  holdMs: z.int().default(500).meta({ title: 'Hold', unit: 'ms' }),
});

function box(files: Record<string, string> = {}) {
  const data = new DataDir(mkdtempSync(join(tmpdir(), 'ledge-config-')));
  mkdirSync(join(data.root, 'settings'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(data.root, name), text);
  return data;
}
const problemOf = (action: () => unknown): Problem => {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('no problem was thrown');
};

test('a setting comes from the default, ledge.yaml, the saved settings and the environment, the later winning', () => {
  const data = box({
    'ledge.yaml': 'hello:\n  port: 1\n  greeting: from file\n  holdMs: 7\n',
    'settings/hello.yaml': 'greeting: saved\nholdMs: 8\n',
  });
  const settings = new Settings('hello', schema, data, { EDGE_HELLO_HOLD_MS: '9' });
  expect(settings.current).toEqual({ port: 1, greeting: 'saved', loud: false, holdMs: 9 });
  expect(settings.view().sources).toEqual({ port: 'ledge.yaml', greeting: 'settings', loud: 'default', holdMs: 'environment' });
});

test("a project's ledge.yaml stands between the default and the box's own", () => {
  const project = mkdtempSync(join(tmpdir(), 'ledge-project-'));
  writeFileSync(
    join(project, 'ledge.yaml'),
    'edge: { name: Garden }\nbroker: { port: 1999 }\nhello:\n  port: 1\n  greeting: from the project\n',
  );
  const data = box({ 'ledge.yaml': 'hello:\n  greeting: from the box\n' });
  const environment = { EDGE_PROJECT: project };
  const settings = new Settings('hello', schema, data, environment);
  expect(settings.current).toMatchObject({ port: 1, greeting: 'from the box', loud: false });
  expect(settings.view().sources).toMatchObject({ port: 'project', greeting: 'ledge.yaml', loud: 'default' });
  expect(readEdge(data, environment).name).toBe('Garden');
  expect(brokerUrl(data, environment)).toBe('mqtt://127.0.0.1:1999');
  writeFileSync(join(project, 'ledge.yaml'), 'hello:\n  prot: 1\n');
  expect(problemOf(() => new Settings('hello', schema, data, environment)).message).toContain(
    `${join(project, 'ledge.yaml')}:2: prot is 1`,
  );
});

test('a wrong value stops the start with file, line, key, value and what was wanted', () => {
  const data = box({ 'ledge.yaml': '# my box\nhello:\n  greeting: hi\n  port: many\n' });
  const problem = problemOf(() => new Settings('hello', schema, data, {}));
  expect(problem.code).toBe('config-invalid');
  expect(problem.message).toContain(`${data.configFile}:4`);
  expect(problem.message).toMatch(/port is "many"; expected (int|number)/);
});

test('an unknown key stops the start and the known ones are named', () => {
  const data = box({ 'ledge.yaml': 'hello:\n  prot: 1\n' });
  expect(problemOf(() => new Settings('hello', schema, data, {})).message).toMatch(
    /ledge\.yaml:2: prot is 1; there is no such setting; known are port, greeting/,
  );
});

test('an unknown or wrong variable of the environment stops the start', () => {
  expect(problemOf(() => new Settings('hello', schema, box(), { EDGE_HELLO_PROT: '1' })).message).toContain('EDGE_HELLO_PROT');
  expect(problemOf(() => new Settings('hello', schema, box(), { EDGE_HELLO_LOUD: 'perhaps' })).message).toMatch(
    /EDGE_HELLO_LOUD: loud is "perhaps"/,
  );
});

test('broken YAML is told with its line', () => {
  const data = box({ 'ledge.yaml': 'hello:\n  greeting: [unclosed\n' });
  expect(problemOf(() => new Settings('hello', schema, data, {})).message).toMatch(/ledge\.yaml:[23]/);
});

test('a changed setting is in force at once, one that needs a restart waits for it', () => {
  const data = box();
  const settings = new Settings('hello', schema, data, {});
  expect(settings.change({ greeting: 'ahoy', port: 99 }, true)).toEqual(['greeting']);
  expect(settings.current).toMatchObject({ greeting: 'ahoy', port: 1883 });
  expect(settings.view()).toMatchObject({ values: { greeting: 'ahoy', port: 99 }, restartNeeded: true });
  expect(new Settings('hello', schema, data, {}).current).toMatchObject({ greeting: 'ahoy', port: 99 });
});

test('null brings the default back', () => {
  const settings = new Settings('hello', schema, box(), {});
  settings.change({ greeting: 'ahoy' }, true);
  settings.change({ greeting: null }, true);
  expect(settings.current.greeting).toBe('hello');
});

test('a wrong change is refused by field and nothing is saved', () => {
  const data = box();
  const settings = new Settings('hello', schema, data, {});
  settings.change({ greeting: 'ahoy' }, true);
  const before = readFileSync(data.settingsFile('hello'), 'utf8');
  const problem = problemOf(() => settings.change({ holdMs: 'long', greeting: 'x' }, true));
  expect(problem.code).toBe('invalid-value');
  expect(problem.errors).toEqual([{ field: 'holdMs', message: expect.stringContaining('expected') }]);
  expect(readFileSync(data.settingsFile('hello'), 'utf8')).toBe(before);
  expect(settings.current.greeting).toBe('ahoy');
});

test('a setting that the environment fixes cannot be changed', () => {
  const settings = new Settings('hello', schema, box(), { EDGE_HELLO_GREETING: 'fixed' });
  expect(problemOf(() => settings.change({ greeting: 'mine' }, true)).code).toBe('locked-by-environment');
});

test('the broker is found where its own settings say, and the environment wins', () => {
  const data = box({ 'ledge.yaml': 'broker:\n  port: 2000\n  host: 0.0.0.0\n  maxClients: 5\n' });
  expect(brokerUrl(data, {})).toBe('mqtt://127.0.0.1:2000');
  expect(brokerUrl(data, { EDGE_MQTT_PORT: '3000', EDGE_BROKER_MAX_CLIENTS: '4' })).toBe('mqtt://127.0.0.1:3000');
  expect(brokerUrl(data, { EDGE_MQTT_URL: 'mqtts://hub:8883' })).toBe('mqtts://hub:8883');
});

test('a box makes its id once and keeps it', () => {
  const data = box();
  const { id, name } = readEdge(data, {});
  expect(id).toMatch(/^ledge-[0-9a-f]{8}$/);
  expect(name).toBe('Ledge');
  expect(readEdge(data, { EDGE_NAME: 'Barn' })).toEqual({ id, name: 'Barn' });
  expect(problemOf(() => readEdge(data, { EDGE_ID: 'Not/An/Id' })).code).toBe('config-invalid');
});

test('a secret can be set and is told neither by the view nor in an error; the schema marks it', () => {
  const withKey = schema.extend({
    key: z.string().min(8).default('').meta({ title: 'Key', writeOnly: true, format: 'password' }),
  });
  const settings = new Settings('hello', withKey, box(), {});
  settings.change({ key: 'open sesame' }, true);
  expect(settings.current.key).toBe('open sesame');
  const { values, sources, schema: told } = settings.view();
  expect(values).not.toHaveProperty('key');
  expect(sources.key).toBe('settings');
  expect(told).toMatchObject({ properties: { key: { title: 'Key', writeOnly: true, format: 'password' } } });
  const problem = problemOf(() => settings.change({ key: 'sesame' }, true));
  expect(JSON.stringify(problem.toDocument())).not.toContain('sesame');
  expect(problem.message).toContain('key is not told');
});

test('the schema says what a form needs: title, unit, limits, default, and what wants a restart', () => {
  expect(new Settings('hello', schema, box(), {}).view().schema).toMatchObject({
    type: 'object',
    properties: {
      port: { title: 'Port', type: 'integer', minimum: 1, maximum: 65535, default: 1883, restart: true },
      holdMs: { title: 'Hold', unit: 'ms', default: 500 },
    },
  });
});
