import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const [BROKER, MEDIA, GROUP] = [64_001, 64_002, 64_800];
/** Only root can be others, and only where others may enter the checkout: not below /root. */
const others = process.getuid?.() === 0 && othersCanRead(import.meta.filename);

function othersCanRead(file: string): boolean {
  const read = ['-e', `fs.accessSync(${JSON.stringify(file)})`];
  return spawnSync(process.execPath, read, { uid: BROKER, gid: GROUP, stdio: 'ignore' }).status === 0;
}

/** The data and run directories as the card has them: one user for each service, all in one group; sticky, with setgid. */
function box() {
  const dir = mkdtempSync(join(tmpdir(), 'ledge-shared-'));
  chmodSync(dir, 0o755);
  const make = (path: string, mode: number, uid = 0, gid = GROUP) => {
    mkdirSync(join(dir, path));
    chownSync(join(dir, path), uid, gid);
    chmodSync(join(dir, path), mode);
  };
  const put = (path: string, content: string, mode: number, uid = 0, gid = GROUP) => {
    writeFileSync(join(dir, path), content);
    chownSync(join(dir, path), uid, gid);
    chmodSync(join(dir, path), mode);
  };
  make('data', 0o750);
  make('data/settings', 0o3770);
  make('data/broker', 0o700, BROKER);
  make('data/secrets', 0o1771);
  make('run', 0o1770);
  put('data/edge-id', 'ledge-a1b2c3d4\n', 0o644);
  put('data/ledge.yaml', 'broker:\n  host: 0.0.0.0\n', 0o640);
  put('data/secrets/own', 'given\n', 0o640, MEDIA);
  return { dir, data: join(dir, 'data'), run: join(dir, 'run'), put };
}

/** Runs a few lines as a service's user, with a umask that hides everything; resolves with what they print. */
async function as(uid: number, { data, run }: { data: string; run: string }, lines: string): Promise<string> {
  const script = `
    process.umask(0o077);
    const kit = await import(${JSON.stringify(join(import.meta.dirname, 'index.ts'))});
    const { z } = await import('zod');
    const data = kit.DataDir.of(process.env);
    const schema = kit.listenerSchema(1883);
    try { ${lines} } catch (error) { console.log(error.code ?? error.message); }
    process.exit(0);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    env: { EDGE_DATA: data, EDGE_RUN: run },
    uid,
    gid: GROUP,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let words = '';
  for await (const part of child.stdout) words += String(part);
  return words.trim();
}

test.skipIf(!others)('services that are different users share settings, and what is theirs only to read they leave as it is', async () => {
  const shared = box();
  expect(await as(BROKER, shared, 'console.log(JSON.stringify(kit.readEdge(data, {})), data.serviceDir("broker"));')).toBe(
    `{"id":"ledge-a1b2c3d4","name":"Ledge"} ${shared.data}/broker`,
  );
  await as(BROKER, shared, 'new kit.Settings("broker", schema, data, {}).change({ port: 1999 }, false);');
  expect(statSync(join(shared.data, 'settings/broker.yaml'))).toMatchObject({ uid: BROKER, gid: GROUP });
  expect(statSync(join(shared.data, 'settings/broker.yaml')).mode & 0o777).toBe(0o640);
  expect(await as(MEDIA, shared, 'console.log(kit.brokerUrl(data, {}));')).toBe('mqtt://127.0.0.1:1999');
  await as(BROKER, shared, 'new kit.Settings("broker", schema, data, {}).change({ port: 2000 }, false);');
  expect(await as(MEDIA, shared, 'console.log(kit.brokerUrl(data, {}));')).toBe('mqtt://127.0.0.1:2000');
  expect(await as(MEDIA, shared, 'new kit.Settings("broker", schema, data, {}).change({ port: 1 }, false);')).toBe('EPERM');
  // the import lays the box's name there for the server to change
  shared.put('data/settings/edge.yaml', 'name: Barn\n', 0o660, BROKER);
  await as(MEDIA, shared, 'kit.renameEdge(data, {}, "Mill");');
  expect(await as(BROKER, shared, 'console.log(kit.readEdge(data, {}).name);')).toBe('Mill');
  expect(await as(MEDIA, shared, 'console.log(kit.ensureSecret(data.root + "/secrets/own"));')).toBe('given');
  rmSync(shared.dir, { recursive: true });
});

test.skipIf(!others)('each listens in the shared folder of sockets, again after a crash, and never in the place of another', async () => {
  const shared = box();
  const listen = (name: string) =>
    `await new kit.HttpApi(kit.createLogger("x", {}), undefined).listen({ kind: "socket", path: data.socketPath("${name}") }); console.log("listens");`;
  expect(await as(BROKER, shared, listen('broker'))).toBe('listens');
  const socket = statSync(join(shared.run, 'broker.sock'));
  expect([socket.uid, socket.mode & 0o777]).toEqual([BROKER, 0o660]);
  expect(await as(BROKER, shared, listen('broker'))).toBe('listens');
  expect(await as(MEDIA, shared, listen('broker'))).toBe('EPERM');
  rmSync(shared.dir, { recursive: true });
});
