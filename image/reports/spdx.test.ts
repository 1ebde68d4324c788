import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { npmPackagesOf, spdx } from './spdx.ts';

const release = { version: '0.1.0', commit: 'abc', built: '2026-01-01T00:00:00Z', machine: 'rpi', kiosk: false };
interface Document {
  name: string;
  documentNamespace: string;
  packages: { SPDXID: string; name: string; versionInfo: string; externalRefs?: { referenceLocator: string }[] }[];
  relationships: { relationshipType: string; relatedSpdxElement: string }[];
}

test('a project and its packages are in the bill of the image that holds them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledge-spdx-'));
  expect(npmPackagesOf(folder)).toEqual([]);
  const packages = {
    '': {},
    'node_modules/suncalc': { version: '1.9.0', license: 'BSD-2-Clause' },
    'node_modules/x': { version: '1.0.0', dev: true },
  };
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages }));
  const project = { name: '@garden/weather', version: '1.2.0', commit: 'def', services: ['pump'] };
  const bill = spdx('garden-weather-rpi', { ...release, project }, [], npmPackagesOf(folder)) as Document;
  expect(bill).toMatchObject({
    name: 'garden-weather-rpi-1.2.0',
    documentNamespace: expect.stringMatching(/0\.1\.0\/abc\/.*weather\/1\.2\.0\/def$/),
  });
  expect(bill.packages.map((one) => [one.name, one.versionInfo, one.externalRefs?.[0]?.referenceLocator])).toEqual([
    ['garden-weather-rpi', '1.2.0', undefined],
    ['suncalc', '1.9.0', 'pkg:npm/suncalc@1.9.0'],
    ['@garden/weather', '1.2.0', 'pkg:generic/%40garden%2Fweather@1.2.0'],
  ]);
  expect(bill.relationships.filter(({ relationshipType }) => relationshipType === 'CONTAINS')).toHaveLength(2);
  const plain = spdx('ledge-rpi', release, [], []) as Document;
  expect(plain).toMatchObject({ name: 'ledge-rpi-0.1.0', documentNamespace: 'https://ledge.invalid/spdx/0.1.0/abc' });
});
