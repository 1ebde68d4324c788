import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable, Writable } from 'node:stream';
import type { BackupManifest, BackupPart, CheckedBackup, RestoreView } from '@ledge/contract';
import { putDocument, putFile } from '@ledge/kit/backup/tar.ts';
import { freePort, until } from '@ledge/testing';
import { pack } from 'tar-stream';
import { afterEach, expect, test } from 'vitest';
import { writeBackup } from './archive.ts';

const PASSWORD = 'garden-Owl-77';
const NEW_PASSWORD = 'another-Heron-12';
const PASSPHRASE = 'under the third stone';
const LAMP =
  'name: Lamp\ndriver: simulated\nsample: { every: 100ms }\nproperties:\n  tick: { datatype: integer, source: { wave: counter } }\n  on: { datatype: boolean, settable: true }\n';
/** Half a second of silence. */
const WAV = (() => {
  const data = Buffer.alloc(8000);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
})();

const running: Box[] = [];
afterEach(async () => {
  for (const box of running.splice(0)) await box.stop();
});

/** All of Ledge from its sources, under its own supervisor. */
class Box {
  readonly dir: string;
  readonly log: string[] = [];
  url = '';
  token = '';
  #process: ChildProcess | undefined;

  constructor(dir = mkdtempSync(join(tmpdir(), 'ledge-backup-'))) {
    this.dir = dir;
  }

  static async start(dir?: string): Promise<Box> {
    const box = new Box(dir);
    running.push(box);
    const [http, mqtt] = [await freePort(), await freePort()];
    const main = join(import.meta.dirname, '../../../system/supervisor/main.ts');
    const words = [main, '--data', box.dir, '--http-port', String(http), '--mqtt-port', String(mqtt)];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => box.log.push(line));
    box.#process = child;
    box.url = `http://127.0.0.1:${http}`;
    await until('all services', () => box.log.some((line) => / ready: http/.test(line)), 50_000).catch((error: unknown) => {
      throw new Error(box.log.slice(-30).join('\n'), { cause: error });
    });
    return box;
  }

  async api<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }> {
    const response = await fetch(`${this.url}/api${path}`, {
      method,
      headers: {
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text) as T };
  }
  async ok<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.api<T>(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  }
  async upload(
    path: string,
    bytes: Buffer,
    method = 'POST',
  ): Promise<{ status: number; body: CheckedBackup & { code?: string; detail?: string } }> {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/octet-stream' };
    const response = await fetch(`${this.url}/api${path}`, { method, headers, body: new Uint8Array(bytes) });
    return { status: response.status, body: (await response.json()) as CheckedBackup };
  }
  async backup(body: object): Promise<Buffer> {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' };
    const response = await fetch(`${this.url}/api/server/backup`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="ledge-barn-\d{4}-\d\d-\d\d\.ledge"$/);
    return Buffer.from(await response.arrayBuffer());
  }

  /** Chooses the admin password, and makes a token. */
  async setUp(password: string): Promise<string> {
    await this.ok('POST', '/server/setup', { password });
    return await this.signIn('admin', password);
  }
  async signIn(name: string, password: string): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const login = await fetch(`${this.url}/api/server/login`, { method: 'POST', headers, body: JSON.stringify({ name, password }) });
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const made = await fetch(`${this.url}/api/server/tokens`, {
      method: 'POST',
      headers: { ...headers, cookie, origin: this.url },
      body: JSON.stringify({ name: 'test', role: 'admin', expiresInDays: 1 }),
    });
    if (made.status !== 200) throw new Error(`${name} cannot sign in: ${login.status} ${await made.text()}`);
    this.token = ((await made.json()) as { token: string }).token;
    return this.token;
  }
  async restored(): Promise<RestoreView> {
    return await until(
      'the restore to end',
      async () => {
        const { restore } = await this.ok<{ restore: RestoreView }>('GET', '/server/backup');
        return restore && ['done', 'failed'].includes(restore.state) && restore;
      },
      40_000,
    );
  }

  async stop({ keep = false } = {}): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    if (!keep) rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

const history = (box: Box) => box.api<{ points: unknown[] }>('GET', '/server/history/lamp/main/tick?limit=100000');

async function furnished(): Promise<Box> {
  const dir = mkdtempSync(join(tmpdir(), 'ledge-backup-'));
  mkdirSync(join(dir, 'things'));
  writeFileSync(join(dir, 'things', 'lamp.yaml'), LAMP);
  writeFileSync(join(dir, 'ledge.yaml'), '# ours\nedge: { name: Barn }\n');
  const box = await Box.start(dir);
  await box.setUp(PASSWORD);
  await box.ok('POST', '/server/users', { name: 'anna', role: 'viewer', password: 'blue-Cheese-42' });
  const { edge } = await box.ok<{ edge: string }>('GET', '/server/health');
  await box.ok('POST', '/broker/users', {
    name: 'kitchen',
    password: 'long enough',
    rules: [{ filter: `${edge}/5/#`, access: 'subscribe' }],
  });
  await box.ok('PUT', '/media/settings', { maxUploadMb: 77 });
  expect((await box.upload('/media/library/song.wav', WAV, 'PUT')).status).toBeLessThan(300);
  await box.ok('POST', '/media/playlists/mine', undefined).catch(() => {});
  await until('some history', async () => ((await history(box)).body.points?.length ?? 0) > 10);
  return box;
}

test('what was backed up with a passphrase is whole again on a box that was set up anew', async () => {
  const first = await furnished();
  const oldToken = first.token;
  const file = await first.backup({ passphrase: PASSPHRASE });
  expect(file.includes('lamp.yaml')).toBe(false);
  const before = (await history(first)).body.points.length;
  const oldEdge = (await first.ok<{ edge: string }>('GET', '/server/health')).edge;
  await first.stop();

  const second = await Box.start();
  await second.setUp(NEW_PASSWORD);
  const newEdge = (await second.ok<{ edge: string }>('GET', '/server/health')).edge;
  expect(newEdge).not.toBe(oldEdge);
  const { body: handedIn } = await second.upload('/server/backup/check', file);
  expect(handedIn).toMatchObject({ encrypted: true, locked: true });
  expect((await second.api('POST', `/server/backup/${handedIn.id}/restore`)).body).toMatchObject({ code: 'backup-locked' });
  expect((await second.api('POST', `/server/backup/${handedIn.id}/unlock`, { passphrase: 'wrong' })).body).toMatchObject({
    code: 'backup-wrong-passphrase',
  });
  const checked = await second.ok<CheckedBackup>('POST', `/server/backup/${handedIn.id}/unlock`, { passphrase: PASSPHRASE });
  expect(checked).toMatchObject({ locked: false, edge: oldEdge, name: 'Barn', sameBox: false });
  expect(checked.parts?.map(({ service, summary }) => [service, summary])).toEqual(
    expect.arrayContaining([
      ['broker', '1 users'],
      ['device', '1 things'],
      ['media', '1 tracks'],
      ['server', '2 people, 1 tokens'],
    ]),
  );
  expect(checked.warnings.map(({ code }) => code)).toEqual(['other-box']);

  const begun = await second.ok<RestoreView>('POST', `/server/backup/${checked.id}/restore`);
  expect(begun).toMatchObject({ id: checked.id, state: 'preparing', signInAgain: true });
  await until('the old password to be right', async () => second.signIn('admin', PASSWORD).then(() => true), 40_000);
  expect(await second.restored()).toMatchObject({ state: 'done', waiting: [], warnings: [] });

  expect(await second.ok<{ edge: string; name: string }>('GET', '/server/health')).toMatchObject({ edge: newEdge, name: 'Barn' });
  await expect(second.signIn('admin', NEW_PASSWORD)).rejects.toThrow('401');
  second.token = oldToken;
  expect((await second.ok<{ name: string }[]>('GET', '/server/users')).map(({ name }) => name)).toEqual(['admin', 'anna']);
  expect(readFileSync(join(second.dir, 'things', 'lamp.yaml'), 'utf8')).toBe(LAMP);
  expect(readFileSync(join(second.dir, 'ledge.yaml'), 'utf8')).toContain('# ours');
  await until('the lamp', async () => (await second.api('PUT', '/device/things/lamp/main/on', { value: true })).status === 200);
  expect((await second.ok<{ values: Record<string, unknown> }>('GET', '/media/settings')).values.maxUploadMb).toBe(77);
  expect((await second.ok<{ path: string }[]>('GET', '/media/library')).map(({ path }) => path)).toEqual(['song.wav']);
  expect(readFileSync(join(second.dir, 'media', 'song.wav'))).toEqual(WAV);
  expect(await second.ok('GET', '/broker/users')).toEqual([
    { name: 'kitchen', rules: [{ filter: `${newEdge}/5/#`, access: 'subscribe' }] },
  ]);
  await until('history to go on', async () => (await history(second)).body.points.length > before);
  const audit = await second.ok<{ items: { action: string }[] }>('GET', '/server/audit');
  expect(audit.items.map(({ action }) => action)).toContain(`POST /api/server/backup/${checked.id}/restore`);
  expect(
    readdirSync(second.dir, { recursive: true }).filter((name) => String(name).includes('.restore-') || String(name).includes('.backup-')),
  ).toEqual([]);
}, 180_000);

/** A backup as nobody's box makes it: whole and right in itself. */
async function forged(edge: string, parts: Record<string, Record<string, string>>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const to = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const about: Omit<BackupManifest, 'parts'> = { version: '0.1.0', edge, name: 'Forged', made: new Date().toISOString() };
  const streams = Object.entries(parts).map(([service, files]) => ({
    service,
    open: async () => {
      const tar = pack();
      void (async () => {
        const list = Object.entries(files).map(([path, text]) => ({
          path,
          bytes: text.length,
          mode: 0o640,
          sha256: createHash('sha256').update(text).digest('hex'),
        }));
        for (const [path, text] of Object.entries(files)) await putFile(tar, path, text.length, [Buffer.from(text)]);
        const covers = service === 'device' ? ['things', 'settings/device.yaml'] : [`settings/${service}.yaml`];
        await putDocument(tar, 'part.json', { service, version: '1', covers, counts: {}, files: list } satisfies BackupPart);
        tar.finalize();
      })();
      return Readable.from(tar, { objectMode: false });
    },
  }));
  await writeBackup(to, about, streams, undefined);
  return Buffer.concat(chunks);
}

test('when one service cannot take its part nothing changes, and an end of everything after the decision does not undo it', async () => {
  const box = await furnished();
  const { edge } = await box.ok<{ edge: string }>('GET', '/server/health');
  const wrong = await forged(edge, { device: { 'things/other.yaml': LAMP }, media: { 'settings/media.yaml': 'maxUploadMb: 99999\n' } });
  const { body: checked } = await box.upload('/server/backup/check', wrong);
  expect(checked).toMatchObject({ locked: false, sameBox: true });
  await box.ok('POST', `/server/backup/${checked.id}/restore`);
  const failed = await box.restored();
  expect(failed).toMatchObject({
    state: 'failed',
    problem: { code: 'backup-refused', detail: expect.stringMatching(/media.*maxUploadMb is 99999/s) },
  });
  expect(readdirSync(join(box.dir, 'things'))).toEqual(['lamp.yaml']);
  expect((await box.ok<{ values: Record<string, unknown> }>('GET', '/media/settings')).values.maxUploadMb).toBe(77);
  expect(existsSync(join(box.dir, 'settings', '.restore-device'))).toBe(false);

  const { body: cut } = await box.upload('/server/backup/check', wrong.subarray(0, -1));
  expect(cut).toMatchObject({ code: 'backup-damaged' });
  await box.ok('POST', '/server/users', { name: 'vera', role: 'viewer', password: 'blue-Cheese-42' });
  const admin = box.token;
  box.token = '';
  for (const [method, path] of [
    ['GET', '/device/backup/part'],
    ['DELETE', '/device/backup/part'],
    ['GET', '/server/backup'],
    ['POST', '/server/backup'],
  ] as const)
    expect((await box.api(method, path)).status, path).toBe(401);
  box.token = admin;
  const viewer = await box.ok<{ token: string }>('POST', '/server/tokens', { name: 'v', role: 'viewer', expiresInDays: 1 });
  box.token = viewer.token;
  for (const path of ['/device/backup/part', '/server/backup/part', '/server/backup'])
    expect((await box.api('GET', path)).status, path).toBe(403);
  box.token = admin;

  // decided, and then all of it ends at once
  const right = await forged(edge, { device: { 'things/other.yaml': LAMP }, media: { 'settings/media.yaml': 'maxUploadMb: 55\n' } });
  const { body: good } = await box.upload('/server/backup/check', right);
  await box.ok('POST', `/server/backup/${good.id}/restore`);
  await until('the decision', () => existsSync(join(box.dir, 'server/backup/restore.json')));
  await box.stop({ keep: true });
  const again = await Box.start(box.dir);
  again.token = admin;
  expect(await again.restored()).toMatchObject({ id: good.id, state: 'done', signInAgain: false });
  expect(readdirSync(join(again.dir, 'things'))).toEqual(['other.yaml']);
  expect((await again.ok<{ values: Record<string, unknown> }>('GET', '/media/settings')).values.maxUploadMb).toBe(55);
}, 180_000);
