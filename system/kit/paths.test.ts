import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DataDir, defaultDataDir, ensureSecret } from './paths.ts';

const scratch = () => mkdtempSync(join(tmpdir(), 'ledge-paths-'));

test('each platform keeps the data where its users look for it', () => {
  expect(defaultDataDir({ XDG_DATA_HOME: '/x' }, 'linux')).toBe('/x/ledge');
  expect(defaultDataDir({ LOCALAPPDATA: 'C:\\Local' }, 'win32')).toContain('Ledge');
  expect(defaultDataDir({}, 'darwin')).toContain('Application Support');
});

test('a secret is made once, with 32 random bytes, for its owner only', () => {
  const file = join(scratch(), 'secrets', 'mqtt', 'device');
  const secret = ensureSecret(file);
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  expect(ensureSecret(file)).toBe(secret);
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a secret file that a power cut left empty is made again', () => {
  const file = join(scratch(), 'secret');
  writeFileSync(file, '');
  expect(ensureSecret(file)).not.toBe('');
  expect(readFileSync(file, 'utf8').trim()).toBe(ensureSecret(file));
});

test('a socket path that the system would refuse moves to a short one of its own', () => {
  const short = new DataDir('/var/lib/ledge').socketPath('broker', 'linux');
  expect(short).toBe('/var/lib/ledge/run/broker.sock');
  const deep = new DataDir(`/${'deep/'.repeat(30)}`);
  expect(Buffer.byteLength(deep.socketPath('broker', 'linux'))).toBeLessThan(104);
  expect(deep.socketPath('broker', 'linux')).not.toBe(new DataDir(`/${'deeper/'.repeat(30)}`).socketPath('broker', 'linux'));
  expect(deep.socketPath('broker', 'win32')).toMatch(/^\\\\\.\\pipe\\ledge-/);
});
