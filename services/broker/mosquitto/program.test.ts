import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../test-support.ts';
import { findMosquitto } from './program.ts';

test('where there is none, what to install is said', async () => {
  await expect(findMosquitto({ PATH: '/nowhere' }, 'linux', [])).rejects.toMatchObject({
    code: 'driver-unavailable',
    message: expect.stringContaining('apt install mosquitto'),
  });
});

test('a mosquitto in PATH is taken with the plugin in the library folder beside it', async () => {
  using dir = scratch();
  const [sbin, lib] = [join(dir.path, 'sbin'), join(dir.path, 'lib', 'aarch64-linux-gnu')];
  for (const folder of [sbin, lib]) mkdirSync(folder, { recursive: true });
  const program = join(sbin, 'mosquitto');
  writeFileSync(program, '');
  chmodSync(program, 0o755);
  await expect(findMosquitto({ PATH: sbin }, 'darwin')).rejects.toMatchObject({
    code: 'driver-unavailable',
    message: expect.stringContaining('apt install mosquitto'),
  });
  writeFileSync(join(lib, 'mosquitto_dynamic_security.so'), '');
  expect(await findMosquitto({ PATH: sbin }, 'darwin')).toEqual({
    mosquitto: program,
    plugin: join(lib, 'mosquitto_dynamic_security.so'),
    setpriv: undefined,
  });
});

test('on Windows it is refused in a sentence that says what to set', async () => {
  await expect(findMosquitto({ PATH: '' }, 'win32')).rejects.toMatchObject({
    code: 'not-supported',
    message: expect.stringContaining('aedes'),
  });
});
