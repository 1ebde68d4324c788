import { expect, test } from 'vitest';
import { cookieOf, PASSWORD, startBox, type TestBox } from '../harness.ts';

async function withAnna(box: TestBox) {
  const admin = await box.signIn();
  await box.ask('/api/server/users', {
    method: 'POST',
    headers: { cookie: admin },
    body: { name: 'anna', role: 'viewer', password: PASSWORD },
  });
  const login = await box.ask('/api/server/login', {
    method: 'POST',
    headers: { 'user-agent': 'Mozilla/5.0 (Phone)' },
    body: { name: 'anna', password: PASSWORD },
    from: '127.0.0.9',
  });
  return { admin, anna: cookieOf(login) };
}
type Listed = { id: string; user: string; current: boolean }[];

test('a viewer keeps preferences, which are replaced as a whole and survive a restart', async () => {
  await using box = await startBox();
  const { admin, anna } = await withAnna(box);
  const put = (body: unknown) => box.ask('/api/server/preferences', { method: 'PUT', headers: { cookie: anna }, body });
  expect(
    await put({ language: 'fr', theme: 'dark', dashboard: { groupBy: 'room', order: ['greenhouse', 'service:media'] } }),
  ).toMatchObject({
    status: 200,
  });
  const chosen = {
    theme: 'dark',
    dashboard: { order: ['greenhouse', 'service:media'], hidden: ['greenhouse/main/fan', 'service:weather'] },
  };
  expect((await put(chosen)).json).toEqual({ theme: 'dark', dashboard: { groupBy: 'thing', ...chosen.dashboard } });
  await box.restart();
  const of = async (cookie: string) => (await box.ask('/api/server/preferences', { headers: { cookie } })).json;
  expect(await of(anna)).toMatchObject(chosen);
  expect(await of(admin)).toEqual({ theme: 'auto', dashboard: { groupBy: 'thing', order: [], hidden: [] } });
  expect(await put({ dashboard: { hidden: ['../etc'] } })).toMatchObject({
    status: 400,
    json: { code: 'invalid-value', errors: [{ field: 'dashboard.hidden.0' }] },
  });
  expect((await box.ask('/api/server/preferences')).status).toBe(401);
  const foreign = { cookie: anna, origin: 'http://evil.example' };
  expect((await box.ask('/api/server/preferences', { method: 'PUT', headers: foreign, body: {} })).json.code).toBe('cross-site');
});

test('people see and end their own sessions, an admin everybody’s', async () => {
  await using box = await startBox();
  const { admin, anna } = await withAnna(box);
  const list = async (cookie: string) => (await box.ask('/api/server/sessions', { headers: { cookie } })).json as unknown as Listed;
  const end = (cookie: string, id = '') => box.ask(`/api/server/sessions/${id}`, { method: 'DELETE', headers: { cookie } });
  expect(await list(anna)).toMatchObject([{ user: 'anna', agent: 'Mozilla/5.0 (Phone)', address: '127.0.0.9', current: true }]);
  const all = await list(admin);
  expect(all.map(({ user, current }) => [user, current]).sort()).toEqual([
    ['admin', true],
    ['anna', false],
  ]);
  const idOf = (name: string) => all.find(({ user }) => user === name)?.id;
  expect(await end(anna, idOf('admin'))).toMatchObject({ status: 404, json: { code: 'not-found' } });
  expect((await end(admin, idOf('anna'))).status).toBe(204);
  expect((await box.ask('/api/server/session', { headers: { cookie: anna } })).status).toBe(401);
  const own = await end(admin, idOf('admin'));
  expect(own).toMatchObject({ status: 204, headers: { 'set-cookie': [expect.stringContaining('Max-Age=0')] } });
});
