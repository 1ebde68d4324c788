import { readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cookieOf, startBox } from '../harness.ts';

test('the display gets in by its pass from this machine, sees what it shows, and nothing else', async () => {
  await using box = await startBox();
  const admin = { cookie: await box.signIn() };
  const pass = readFileSync(box.data.kioskPassFile, 'utf8').trim();
  if (process.platform !== 'win32') expect(statSync(box.data.kioskPassFile).mode & 0o777).toBe(0o640);
  expect(await box.ask('/api/server/kiosk-pass?pass=wrong')).toMatchObject({ status: 403, json: { code: 'not-allowed' } });
  const entered = await box.ask(`/api/server/kiosk-pass?pass=${pass}`);
  expect(entered).toMatchObject({ status: 303, headers: { location: '/kiosk' } });
  expect(entered.text).not.toContain(pass);
  const display = { cookie: cookieOf(entered) };
  const get = (path: string, headers: Record<string, string> = display) => box.ask(path, { headers });
  expect((await get('/api/server/session')).json).toMatchObject({ user: 'box:kiosk', role: 'kiosk' });

  const chosen = { title: 'Barn', tiles: ['greenhouse/main/temperature'], dark: 'dark' };
  const put = (headers: Record<string, string>, body: unknown = chosen) => box.ask('/api/server/kiosk', { method: 'PUT', headers, body });
  expect((await put(admin)).json).toEqual(chosen);
  expect((await put(admin, { tiles: Array(25).fill('a/b/c') })).json).toMatchObject({ code: 'invalid-value' });
  expect((await put(display)).json.code).toBe('not-allowed');
  expect((await get('/api/server/kiosk')).json).toEqual(chosen);

  const asked: Record<string, string>[] = [];
  await box.serve('device', (request, response) => {
    asked.push({ url: String(request.url), role: String(request.headers['x-ledge-role']) });
    response.end('[]');
  });
  await box.announce('device', `unix:${box.data.socketPath('device')}`);
  asked.length = 0;
  expect((await get('/api/device/things')).status).toBe(200);
  expect((await get('/api/device/settings')).json.code).toBe('not-allowed');
  expect((await box.ask('/api/device/things/a/b/c', { method: 'PUT', headers: display, body: { value: 1 } })).json.code).toBe(
    'not-allowed',
  );
  expect(asked).toEqual([{ url: '/things', role: 'kiosk' }]);
  for (const path of ['/api/server/logs', '/api/server/users', '/api/server/sessions', '/api/server/machine', '/api/server/settings'])
    expect((await get(path)).status, path).toBe(403);
  expect((await get('/metrics')).status).toBe(401);
  const foreign = { ...display, origin: 'http://evil.example' };
  expect((await box.ask('/api/server/kiosk/heartbeat', { method: 'POST', headers: foreign, body: {} })).json.code).toBe('cross-site');

  await box.restart();
  expect((await get('/api/server/kiosk')).json).toEqual(chosen);
});

test('the display says that it is well; a viewer cannot say so for it, and neither fills the audit log', async () => {
  await using box = await startBox();
  const admin = { cookie: await box.signIn() };
  const pass = readFileSync(box.data.kioskPassFile, 'utf8').trim();
  const display = { cookie: cookieOf(await box.ask(`/api/server/kiosk-pass?pass=${pass}`)) };
  const say = (headers: Record<string, string>, body: unknown) => box.ask('/api/server/kiosk/heartbeat', { method: 'POST', headers, body });
  const state = async () => (await box.ask('/api/server/kiosk/state', { headers: admin })).json;
  const heartbeat = { page: '/kiosk', drawnAgoMs: 40, heapBytes: 9_000_000, online: true };
  expect((await say(admin, heartbeat)).status).toBe(204);
  expect(await state()).toEqual({ silent: false });
  expect((await say(display, heartbeat)).status).toBe(204);
  expect(await state()).toEqual({ silent: false, last: { ...heartbeat, ageMs: expect.any(Number) } });
  expect((await say(display, { page: '/kiosk' })).json.code).toBe('invalid-value');
  expect((await say({}, heartbeat)).status).toBe(401);
  const { items } = (await box.ask('/api/server/audit', { headers: admin })).json as { items: { action: string; status: number }[] };
  expect(items.filter(({ action }) => action.includes('heartbeat')).map(({ status }) => status)).toEqual([401, 400]);
});
