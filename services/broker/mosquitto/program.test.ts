import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../test-support.ts';
import { findMosquitto } from './program.ts';

test('where there is none, what to install is said', () => {
  expect(() => findMosquitto({ PATH: '/nowhere' }, 'linux', [])).toThrow(/apt install mosquitto/);
});

test('a mosquitto in PATH is taken with the plugin in the library folder beside it', () => {
  using dir = scratch();
  const [sbin, lib] = [join(dir.path, 'sbin'), join(dir.path, 'lib', 'aarch64-linux-gnu')];
  for (const folder of [sbin, lib]) mkdirSync(folder, { recursive: true });
  const program = join(sbin, 'mosquitto');
  writeFileSync(program, '');
  expect(() => findMosquitto({ PATH: sbin }, 'darwin')).toThrow(/mosquitto_dynamic_security.so/);
  writeFileSync(join(lib, 'mosquitto_dynamic_security.so'), '');
  expect(findMosquitto({ PATH: sbin }, 'darwin')).toEqual({
    mosquitto: program,
    plugin: join(lib, 'mosquitto_dynamic_security.so'),
    setpriv: undefined,
  });
});

test('on Windows it is refused in a sentence that says what to choose', () => {
  expect(() => findMosquitto({ PATH: '' }, 'win32')).toThrow(/aedes is wanted/);
});
