import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { serviceContract } from './service-contract.ts';
import { service } from './service-test-support.ts';
import { scratch } from './test-support.ts';

serviceContract('aedes', { wrongPassword: 4, version: /^Ledge broker, aedes \d/ });

test('a damaged store is moved aside, said, and does not keep the broker from starting', async () => {
  using dir = scratch();
  mkdirSync(join(dir.path, 'broker'));
  writeFileSync(join(dir.path, 'broker', 'sessions.db'), Buffer.alloc(8192, 'no database'));
  await using broker = await service(dir.path);
  expect(broker.log.some(({ msg }) => String(msg).includes('moved aside'))).toBe(true);
  expect(readdirSync(join(dir.path, 'broker')).some((file) => file.startsWith('sessions.db.damaged-'))).toBe(true);
});
