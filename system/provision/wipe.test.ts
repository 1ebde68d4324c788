import { expect, test } from 'vitest';
import { FILES } from './formats/index.ts';
import { read, sample, wiped } from './test-support.ts';
import type { Reading } from './wishes.ts';

/** Numbers that are the same at each run (Mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const SIGNS = [...'abcXYZ0189 _-.,:;#\'"\\*&!|>%@`{}[]()?=+~$/<>', 'é', 'ß', '€'];
const ROUNDS = 400;

function secretOf(random: (below: number) => number): string {
  const length = 10 + random(15);
  let text = '';
  while ([...text].length < length && Buffer.byteLength(text) < 57) text += SIGNS[random(SIGNS.length)];
  // blanks at the ends are no part of a value in any of these formats
  return `p${text}q`;
}

/** The ways to write a text in YAML. */
function yamlText(random: (below: number) => number, value: string, indent: string): string {
  switch (random(4)) {
    case 0:
      return JSON.stringify(value);
    case 1:
      return `'${value.replaceAll("'", "''")}'`;
    case 2:
      return `|-\n${indent}  ${value}`;
    default:
      return /[:#]|[,[\]{}]/.test(value) ? JSON.stringify(value) : value;
  }
}

/** Every byte outside of the patches is what it was, and the file is as long as it was. */
function expectOnlySecretsChanged(before: Buffer, after: Buffer, reading: Reading): void {
  expect(after.length).toBe(before.length);
  const inside = new Uint8Array(before.length);
  for (const { patch } of reading.secrets) inside.fill(1, patch.start, patch.start + patch.bytes.length);
  for (let i = 0; i < before.length; i++) if (!inside[i]) expect(after[i]).toBe(before[i]);
}

test('whatever the secret and however it is written, it goes and nothing else changes', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const random = numbers(round);
    const [wifi, admin] = [secretOf(random), secretOf(random)];
    const eol = random(2) === 0 ? '\n' : '\r\n';
    const mark = random(3) === 0 ? '\ufeff' : '';
    const lines = [
      '# é a comment before',
      `wifi:`,
      `  - ssid: Café`,
      `    password: ${yamlText(random, wifi, '    ')}`,
      `name: Barn # behind`,
      `adminPassword: ${yamlText(random, admin, '')}`,
      'language: fr',
    ];
    const text = Buffer.from(mark + lines.join('\n').replaceAll('\n', eol));
    const reading = read('ledge.yaml', text);
    expect(reading.notes, text.toString()).toEqual([]);
    expect(reading.says.admin?.value).toEqual({ password: admin });
    expect(reading.says.wifi[0]?.value.key).toEqual({ kind: 'passphrase', value: wifi });

    const after = wiped(text, reading);
    expectOnlySecretsChanged(text, after, reading);
    expect(after.toString()).not.toMatch(/p.{3,}q/);
    const again = read('ledge.yaml', after);
    expect(again.notes, after.toString()).toEqual([]);
    expect(again.secrets).toEqual([]);
    expect(again.says).toMatchObject({ name: reading.says.name, language: reading.says.language });
    expect(again.says.wifi[0]?.value.key).toEqual({ kind: 'taken' });
    expect(again.says.admin).toBeUndefined();
  }
});

const SAMPLES: [file: string, name: string][] = [
  ['ledge.yaml', 'ledge.yaml'],
  ['user-data', 'imager-1.user-data'],
  ['user-data', 'imager-2.user-data'],
  ['network-config', 'imager-1.network-config'],
  ['network-config', 'imager-2.network-config'],
  ['rpi-preseed.toml', 'rpi-preseed.toml'],
  ['custom.toml', 'custom.toml'],
  ['wpa_supplicant.conf', 'wpa_supplicant.conf'],
  ['firstrun.sh', 'firstrun.sh'],
  ['userconf.txt', 'userconf.txt'],
];

test.each(SAMPLES)('%s with bytes lost, doubled and changed is read without an error, and only its secrets change (%s)', (file, name) => {
  const original = sample(name);
  for (let round = 0; round < ROUNDS / 4; round++) {
    const random = numbers(round);
    let bytes = Buffer.from(original);
    for (let change = 0; change < 1 + random(6); change++) {
      const at = random(bytes.length);
      const length = random(40);
      if (random(3) === 0) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
      else if (random(2) === 0) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
      else bytes[at] = random(256);
    }
    const reading = read(file, bytes);
    const after = wiped(bytes, reading);
    expectOnlySecretsChanged(bytes, after, reading);
    // secrets that belong to the same text may stand in it twice; none may be found a second time
    expect(read(file, after).secrets.map(({ wish }) => wish)).toEqual([]);
  }
});

test.each(FILES)('%s of random bytes is read without an error', (file) => {
  for (let round = 0; round < 50; round++) {
    const random = numbers(round);
    const bytes = Buffer.from(Array.from({ length: random(300) }, () => random(round % 2 === 0 ? 256 : 128)));
    expect(() => wiped(bytes, read(file, bytes))).not.toThrow();
  }
});
