import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mediaSettings } from './config.ts';
import { chooseOutput } from './outputs.ts';
import { SoundOutput } from './sound-output.ts';

/** As a Pi 4 with a USB card lists them. */
const PI = ` 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0
                      vc4-hdmi-0
 1 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones
                      bcm2835 Headphones
 2 [Device         ]: USB-Audio - USB Audio Device
                      C-Media Electronics Inc. USB Audio Device at usb-0000:01:00.0-1.3, full speed
`;
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ledge-cards-'));
  await mkdir(join(root, 'proc/asound'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

const cards = (text: string) => writeFile(join(root, 'proc/asound/cards'), text);
const linux = () => ({ root, platform: 'linux' as const, pulse: false });

test('USB comes first, HDMI last, and silence after all', async () => {
  await cards(PI);
  expect(await chooseOutput('auto', linux())).toEqual({
    arguments: ['-ao', 'alsa:device=sysdefault=Device,alsa:device=sysdefault=Headphones,alsa:device=sysdefault=vc4hdmi0,null'],
    name: 'alsa: USB Audio Device',
    fault: null,
  });
});

test.each([
  ['Headphones', 'alsa:device=sysdefault=Headphones,null'],
  ['hdmi:CARD=vc4hdmi0,DEV=0', 'alsa:device=hdmi=vc4hdmi0.0,null'],
  ['default', 'alsa:device=default,null'],
])('the output %s is taken by name', async (wanted, argument) => {
  await cards(PI);
  expect((await chooseOutput(wanted, linux())).arguments).toEqual(['-ao', argument]);
});

test.each(['--- no soundcards ---\n', undefined])('without a card (%j) it plays to nothing and says so', async (text) => {
  if (text) await cards(text);
  expect(await chooseOutput('auto', linux())).toEqual({
    arguments: ['-ao', 'null'],
    name: 'null: no sound device',
    fault: 'There is no sound device; tracks play without being heard.',
  });
});

test('silence that was chosen is no fault', async () => {
  expect(await chooseOutput('null', linux())).toEqual({ arguments: ['-ao', 'null'], name: 'null', fault: null });
});

test('a desktop’s sound server is asked first', async () => {
  await cards(PI);
  expect((await chooseOutput('auto', { ...linux(), pulse: true })).arguments[1]).toMatch(/^pulse,alsa/);
});

test.each(['win32', 'darwin'] as const)('on %s the player chooses', async (platform) => {
  expect(await chooseOutput('auto', { root, platform, pulse: false })).toEqual({ arguments: [], name: 'auto', fault: null });
});

test('a card that does not open is said, until it opens', async () => {
  await cards(PI);
  const output = new SoundOutput(() => 'auto', linux());
  await output.choose();
  expect(output.fault).toBeNull();
  output.opened('null');
  expect(output.fault).toMatch(/cannot be opened/);
  expect(output.name).toBe('null: alsa: USB Audio Device does not open');
  output.opened('alsa');
  expect(output.fault).toBeNull();
});

test.each(['alsa device', 'x;y', 'a"b', '-ao\nnull', ''])('the setting %j is refused', (output) => {
  expect(mediaSettings.safeParse({ output }).success).toBe(false);
});
