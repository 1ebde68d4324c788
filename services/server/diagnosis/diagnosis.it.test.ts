import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createGunzip } from 'node:zlib';
import type { LogLine } from '@ledge/contract';
import type { ServiceManager } from '@ledge/host';
import { extract } from 'tar-stream';
import { expect, test } from 'vitest';
import { startBox } from '../harness.ts';

const PLANTED = 'hunter2-very-secret';
const time = '2026-03-01T10:00:00.000Z';
const line = (message: string, fields: Record<string, unknown> = {}): LogLine => ({ time, service: 'device', level: 30, message, fields });

/** Logs with secrets in them, which then go on live. */
const manager = (lines: LogLine[]): ServiceManager => ({
  list: async () => [],
  start: async () => {},
  stop: async () => {},
  restart: async () => {},
  async *logs({ signal, last }) {
    yield* lines.slice(-last);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  },
});

async function filesOf(port: number, headers: Record<string, string>): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  await new Promise<void>((resolve, reject) => {
    const unpack = extract();
    unpack.on('entry', (header, stream, next) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        files.set(header.name, Buffer.concat(parts).toString());
        next();
      });
    });
    unpack.on('finish', resolve);
    unpack.on('error', reject);
    request({ host: '127.0.0.1', port, path: '/api/server/machine/diagnosis', headers, agent: false }, (answer) => {
      expect(answer.headers).toMatchObject({
        'content-type': 'application/gzip',
        'content-disposition': expect.stringMatching(/^attachment; filename="ledge-[\w.-]+-diagnosis-[\d-]+\.tar\.gz"$/),
      });
      answer.pipe(createGunzip()).pipe(unpack);
    }).end();
  });
  return files;
}

test('an archive tells how the box fares, and none of its secrets', async () => {
  const lines = [
    line(`connecting to mqtt://anna:${PLANTED}@broker.local`),
    line('settings', { password: PLANTED, nested: [{ apiKey: PLANTED }] }),
    line('asked', { url: `http://meter.local/?token=${PLANTED}`, err: { stack: `Error: Bearer ${PLANTED}\n at x` } }),
  ];
  await using box = await startBox({}, { manager: manager(lines) });
  const headers = { cookie: await box.signIn() };
  const gateway = readFileSync(box.data.gatewaySecretFile, 'utf8').trim();
  lines.push(line(`somebody said ${gateway}`));
  const answers: Record<string, unknown> = {
    '/settings': { values: { port: 1, brokerPassword: PLANTED }, sources: {}, schema: {}, restartNeeded: false },
    '/files': [{ thing: 'meter', file: 'meter.yaml' }],
    '/things/meter/file': { yaml: `name: Meter\nhttp:\n  url: http://u:${PLANTED}@meter.local\n  password: ${PLANTED}\n` },
  };
  await box.serve('device', (asked, response) => {
    const answer = answers[asked.url ?? ''];
    response.writeHead(answer && asked.headers['x-ledge-role'] === 'admin' ? 200 : 404).end(JSON.stringify(answer ?? {}));
  });
  await box.announce('device', `unix:${box.data.socketPath('device')}`);

  const files = await filesOf(box.port, headers);
  const names = [...files.keys()].map((name) => name.replace(`${box.edge}/`, ''));
  expect(names).toEqual(
    expect.arrayContaining(['about.json', 'machine.json', 'services.json', 'settings/device.json', 'settings/server.json']),
  );
  expect(names).toEqual(expect.arrayContaining(['log.jsonl', 'things/meter.yaml', 'doctor.json']));
  const all = [...files.values()].join('\n');
  expect(all).not.toContain(PLANTED);
  expect(all).not.toContain(gateway);
  const log = files.get(`${box.edge}/log.jsonl`)?.trim().split('\n') ?? [];
  expect(log.map((text) => (JSON.parse(text) as LogLine).message)).toEqual([
    'connecting to mqtt://***@broker.local',
    'settings',
    'asked',
    'somebody said ***',
  ]);
  expect(JSON.parse(files.get(`${box.edge}/settings/device.json`) ?? '')).toMatchObject({ values: { port: 1, brokerPassword: '***' } });
  expect(files.get(`${box.edge}/things/meter.yaml`)).toContain('http://***@meter.local');
});

test('what cannot be had leaves its reason, and strangers and viewers get nothing', async () => {
  await using box = await startBox();
  const headers = { cookie: await box.signIn() };
  const files = await filesOf(box.port, headers);
  expect(files.get(`${box.edge}/things.missing.txt`)).toMatch(/device does not run/);
  expect([...files.keys()].some((name) => name.startsWith(`${box.edge}/log.jsonl`))).toBe(true);
  expect((await box.ask('/api/server/machine/diagnosis')).status).toBe(401);
  const made = await box.ask('/api/server/tokens', { method: 'POST', headers, body: { name: 'v', role: 'viewer', expiresInDays: 1 } });
  const viewer = { authorization: `Bearer ${made.json.token}` };
  expect((await box.ask('/api/server/machine/diagnosis', { headers: viewer })).status).toBe(403);
});
