import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDir } from '@ledge/kit';
import { expect, test } from 'vitest';
import { checkNames, checkPorts } from './preflight.ts';

const plans = [{ name: 'broker', module: '', memoryLimitMb: 1 }];
const box = (yaml = '') => {
  const data = new DataDir(mkdtempSync(join(tmpdir(), 'ledge-preflight-')));
  writeFileSync(data.configFile, yaml);
  return data;
};

test('a section or a variable that nobody reads is told', () => {
  expect(() => checkNames(box('edge:\n  name: x\nbrokr:\n  port: 1\n'), {}, plans)).toThrow(/ledge\.yaml:3: there is no section brokr/);
  expect(() => checkNames(box(), { EDGE_BROKR_PORT: '1' }, plans)).toThrow(/EDGE_BROKR_PORT/);
  checkNames(box('broker:\n  port: 1\n'), { EDGE_BROKER_PORT: '1', EDGE_HOST: 'x', PATH: '/' }, plans);
});

test('a port in use is told with its owner and the option that chooses another', async () => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) =>
    taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
  );
  try {
    const refused = checkPorts(box(), { EDGE_MQTT_PORT: String(port) });
    await expect(refused).rejects.toThrow(new RegExp(`The MQTT port ${port} is in use by .+--mqtt-port`));
    if (process.platform === 'linux') await expect(refused).rejects.toThrow(`process ${process.pid}`);
  } finally {
    taken.close();
  }
});
