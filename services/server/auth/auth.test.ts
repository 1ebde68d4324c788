import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { preferencesSchema } from '@ledge/contract';
import { fakeClock } from '@ledge/testing';
import pino from 'pino';
import { expect, test } from 'vitest';
import { KioskPass } from '../kiosk/pass.ts';
import { AuditLog, MAX_AUDIT_ENTRIES, NOBODY } from './audit.ts';
import { openSettingsDatabase, watchGrants } from './database.ts';
import { checkSameSite, Identifier } from './identify.ts';
import { PasswordHasher } from './passwords.ts';
import { PreferenceStore, readBoxLanguage } from './preferences.ts';
import { keyOf, Sessions } from './sessions.ts';
import { SignIn } from './sign-in.ts';
import { LoginThrottle } from './throttle.ts';
import { Tokens } from './tokens.ts';
import { Users } from './users.ts';

const PASSWORD = 'garden-Owl-77';
const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

async function box({ setUp = true } = {}) {
  const clock = fakeClock();
  const db = openSettingsDatabase(':memory:');
  const users = new Users(db, new PasswordHasher({ N: 2 ** 10, r: 8, p: 1 }), ['ledge-a1b2c3d4']);
  if (setUp) await users.setUp(PASSWORD);
  const sessions = new Sessions(db, clock, () => 30 * DAY_MS);
  const tokens = new Tokens(db, clock);
  return { clock, db, users, sessions, tokens, identifier: new Identifier(sessions, tokens, new KioskPass('pass', clock)) };
}

function requestWith(headers: Record<string, string>): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  Object.assign(request.headers, headers);
  return request;
}

const writesDuring = (db: DatabaseSync, work: () => void) => {
  const changes = () => Number(db.prepare('SELECT total_changes() AS n').get()?.n);
  const before = changes();
  work();
  return changes() - before;
};

test('the admin password is chosen once', async () => {
  const { users } = await box({ setUp: false });
  expect(users.setupNeeded).toBe(true);
  const passwords = [PASSWORD, 'another-Owl-78'];
  const tries = await Promise.allSettled(passwords.map((password) => users.setUp(password)));
  expect(tries.find((t) => t.status === 'rejected')).toMatchObject({ reason: { code: 'setup-done' } });
  const winner = passwords[tries.findIndex((t) => t.status === 'fulfilled')] ?? '';
  expect(users.setupNeeded).toBe(false);
  await expect(users.setUp('third-Owl-79')).rejects.toMatchObject({ code: 'setup-done' });
  expect(await users.verify('admin', winner)).toEqual({ name: 'admin', role: 'admin' });
});

test('a weak admin password is refused and leaves the set-up open', async () => {
  const { users } = await box({ setUp: false });
  await expect(users.setUp('1234567890')).rejects.toMatchObject({ code: 'weak-password' });
  expect(users.setupNeeded).toBe(true);
});

test('the environment sets the admin password, keeps a newer one of the person, and replaces a lost one', async () => {
  const { users, sessions, db } = await box({ setUp: false });
  expect(await users.setUpFromEnvironment('from-Environment-1')).toBe(true);
  await users.changePassword('admin', 'changed-By-Hand-2');
  expect(await users.setUpFromEnvironment('from-Environment-1')).toBe(false);
  expect(await users.verify('admin', 'changed-By-Hand-2')).toBeDefined();
  sessions.open('admin');
  expect(await users.setUpFromEnvironment('from-Environment-3')).toBe(true);
  expect(await users.verify('admin', 'from-Environment-3')).toBeDefined();
  expect(db.prepare('SELECT count(*) AS n FROM sessions').get()).toEqual({ n: 0 });
  await expect(users.setUpFromEnvironment('short')).rejects.toThrow(/EDGE_ADMIN_PASSWORD/);
});

test('the last admin stays an admin', async () => {
  const { users } = await box();
  expect(() => users.remove('admin')).toThrow(expect.objectContaining({ code: 'not-allowed' }));
  await expect(users.save('admin', 'viewer', undefined)).rejects.toMatchObject({ code: 'not-allowed' });
  await users.save('anna', 'admin', 'blue-Cheese-42');
  users.remove('ADMIN');
  expect(users.list()).toEqual([{ name: 'anna', role: 'admin' }]);
});

test('a new person needs a password, a known one keeps theirs', async () => {
  const { users } = await box();
  await expect(users.save('anna', 'viewer', undefined)).rejects.toMatchObject({ code: 'invalid-value', errors: [{ field: 'password' }] });
  await users.save('anna', 'viewer', 'blue-Cheese-42');
  await users.save('Anna', 'admin', undefined);
  expect(users.find('anna')).toEqual({ name: 'anna', role: 'admin' });
  expect(await users.verify('anna', 'blue-Cheese-42')).toBeDefined();
});

test('a session is found by its secret until it was not used for 30 days, and removing the person ends it', async () => {
  const { clock, sessions, users, db } = await box();
  await users.save('anna', 'viewer', 'blue-Cheese-42');
  const { secret } = sessions.open('anna');
  expect(JSON.stringify(db.prepare('SELECT * FROM sessions').all())).not.toContain(secret);
  for (let day = 0; day < 60; day += 20) {
    await clock.advance(20 * DAY_MS);
    expect(sessions.find(secret)).toMatchObject({ user: 'anna', role: 'viewer', renewed: true });
  }
  await clock.advance(30 * DAY_MS);
  expect(sessions.find(secret)).toBeUndefined();
  const again = sessions.open('anna');
  users.remove('anna');
  expect(sessions.find(again.secret)).toBeUndefined();
});

test('using a session writes at most once an hour', async () => {
  const { clock, sessions, db } = await box();
  const { secret } = sessions.open('admin');
  expect(writesDuring(db, () => sessions.find(secret))).toBe(0);
  await clock.advance(HOUR_MS);
  expect(writesDuring(db, () => sessions.find(secret))).toBe(1);
  expect(writesDuring(db, () => sessions.find(secret))).toBe(0);
});

test("a person sees their own sessions, and an admin everybody's; the id is not the secret", async () => {
  const { sessions, users, clock } = await box();
  await users.save('anna', 'viewer', PASSWORD);
  const { secret } = sessions.open('anna', { address: '192.168.1.7', agent: 'x'.repeat(300) });
  await clock.advance(1_000);
  sessions.open('admin');
  const [mine, ...none] = sessions.list('ANNA', keyOf(secret));
  expect(none).toEqual([]);
  expect(mine).toMatchObject({ user: 'anna', address: '192.168.1.7', agent: 'x'.repeat(200), current: true });
  expect(secret).not.toContain(mine?.id);
  expect(sessions.list(undefined, keyOf(secret)).map(({ user, current }) => [user, current])).toEqual([
    ['admin', false],
    ['anna', true],
  ]);
});

test('when and where a session was last used is written at most every ten minutes', async () => {
  const { sessions, clock, db } = await box();
  const { secret } = sessions.open('admin', { address: '10.0.0.1', agent: '' });
  await clock.advance(9 * 60_000);
  expect(writesDuring(db, () => sessions.find(secret, '10.0.0.2'))).toBe(0);
  await clock.advance(60_000);
  expect(writesDuring(db, () => sessions.find(secret, '10.0.0.2'))).toBe(1);
  expect(sessions.list('admin')).toMatchObject([{ address: '10.0.0.2', lastSeen: new Date(clock.now()).toISOString() }]);
  expect(writesDuring(db, () => sessions.find(secret, '10.0.0.3'))).toBe(0);
});

test('a session is ended by whom it belongs to, and by an admin', async () => {
  const { sessions, users } = await box();
  await users.save('anna', 'viewer', PASSWORD);
  const { secret } = sessions.open('anna');
  const [{ id } = { id: '' }] = sessions.list('anna');
  expect(() => sessions.end(id, 'ben')).toThrow(/no session .* of yours/);
  expect(() => sessions.end('', undefined)).toThrow(/no session/);
  expect(sessions.find(secret)).toBeDefined();
  sessions.end(id, 'anna');
  expect(sessions.find(secret)).toBeUndefined();
  sessions.open('anna');
  sessions.end(sessions.list('anna')[0]?.id ?? '', undefined);
  expect(sessions.list('anna')).toEqual([]);
});

test('preferences are kept for each, have defaults, and go with the person or the last token of the name', async () => {
  const { db, users, tokens } = await box();
  await users.save('anna', 'viewer', PASSWORD);
  const [one, two] = [tokens.add('anna', 'viewer', 1), tokens.add('anna', 'viewer', 1)];
  const store = new PreferenceStore(db);
  const defaults = { theme: 'auto', dashboard: { groupBy: 'thing', order: [], hidden: [] } };
  expect(store.of('anna')).toEqual(defaults);
  const dark = { ...preferencesSchema.parse({}), theme: 'dark' as const, language: 'fr' as const };
  store.replace('anna', dark);
  store.replace('token:anna', { ...dark, language: 'en' });
  expect([store.of('Anna').language, store.of('token:anna').language, store.of('admin').language]).toEqual(['fr', 'en', undefined]);
  users.remove('ANNA');
  expect(store.of('anna')).toEqual(defaults);
  tokens.remove(one.id);
  expect(store.of('token:anna').language).toBe('en');
  tokens.remove(two.id);
  expect(store.of('token:anna')).toEqual(defaults);
});

test('who has chosen no language gets that of the box', async () => {
  const { db } = await box();
  const file = join(mkdtempSync(join(tmpdir(), 'ledge-language-')), 'language');
  expect(readBoxLanguage(file)).toBeUndefined();
  writeFileSync(file, 'fr\n');
  const store = new PreferenceStore(db, readBoxLanguage(file));
  expect(store.of('anna').language).toBe('fr');
  store.replace('anna', { ...store.of('anna'), language: 'en' });
  expect(store.of('anna').language).toBe('en');
  writeFileSync(file, 'tlh\n');
  expect(readBoxLanguage(file)).toBeUndefined();
});

test('a settings.db of the first version is brought up to date and keeps its people and sessions', () => {
  const dir = mkdtempSync(join(tmpdir(), 'ledge-auth-'));
  const file = join(dir, 'settings.db');
  const old = new DatabaseSync(file);
  old.exec(`
    CREATE TABLE users (name TEXT PRIMARY KEY COLLATE NOCASE, role TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
    CREATE TABLE sessions (key TEXT PRIMARY KEY, user TEXT NOT NULL COLLATE NOCASE REFERENCES users (name) ON DELETE CASCADE,
      created INTEGER NOT NULL, renewed INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT;
    CREATE TABLE tokens (id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL, created INTEGER NOT NULL,
      expires INTEGER NOT NULL, last_used INTEGER) STRICT;
    INSERT INTO users VALUES ('admin', 'admin', 'x');
    INSERT INTO sessions VALUES ('${keyOf('secret')}', 'admin', 1, 2, ${8e12});
    PRAGMA user_version = 1`);
  old.close();
  const db = openSettingsDatabase(file);
  const sessions = new Sessions(db, fakeClock(), () => DAY_MS);
  expect(sessions.list('admin')).toMatchObject([{ address: 'unknown', agent: '', lastSeen: '1970-01-01T00:00:00.002Z' }]);
  expect(sessions.find('secret')).toMatchObject({ user: 'admin' });
  db.exec('PRAGMA user_version = 99');
  db.close();
  expect(() => openSettingsDatabase(file)).toThrow(/version 99/);
  rmSync(dir, { recursive: true });
});

test('the cookie cannot be read by scripts nor sent from other sites', async () => {
  const { sessions } = await box();
  const { secret, expiresMs } = sessions.open('admin');
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  expect(sessions.cookie(secret, expiresMs)).toBe(`ledge=${secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${30 * 24 * 60 * 60}`);
});

test('changing the password ends the other sessions only', async () => {
  const { sessions } = await box();
  const [mine, other] = [sessions.open('admin').secret, sessions.open('admin').secret];
  sessions.closeOthers('admin', sessions.find(mine)?.key);
  expect(sessions.find(mine)).toBeDefined();
  expect(sessions.find(other)).toBeUndefined();
});

test('a token works until it expires or is revoked, and only its hash is kept', async () => {
  const { clock, tokens, db } = await box();
  const { token, id } = tokens.add('grafana', 'viewer', 10);
  expect(token).toMatch(/^ldg_[\w-]{43}$/);
  expect(JSON.stringify(db.prepare('SELECT * FROM tokens').all())).not.toContain(token.slice(4));
  expect(tokens.find(token)).toMatchObject({ name: 'grafana', role: 'viewer' });
  await clock.advance(10 * DAY_MS);
  expect(tokens.find(token)).toBeUndefined();
  const other = tokens.add('script', 'admin', 10);
  tokens.remove(other.id);
  expect(tokens.find(other.token)).toBeUndefined();
  expect(() => tokens.remove(other.id)).toThrow(expect.objectContaining({ code: 'not-found' }));
  expect(tokens.list().map((t) => t.id)).toEqual([id]);
});

test('the last use of a token is written at most once a minute', async () => {
  const { clock, tokens, db } = await box();
  const { token } = tokens.add('grafana', 'viewer', 10);
  expect(tokens.list()[0]?.lastUsed).toBeNull();
  expect(writesDuring(db, () => tokens.find(token))).toBe(1);
  expect(writesDuring(db, () => tokens.find(token))).toBe(0);
  await clock.advance(60_000);
  expect(writesDuring(db, () => tokens.find(token))).toBe(1);
  expect(tokens.list()[0]?.lastUsed).toBe('2026-01-01T00:01:00.000Z');
});

test('a request is identified by its cookie or its bearer token, and a bad token is refused', async () => {
  const { identifier, sessions, tokens } = await box();
  const { secret } = sessions.open('admin');
  const { token } = tokens.add('grafana', 'viewer', 1);
  expect(identifier.identify(requestWith({}))).toBeUndefined();
  expect(identifier.identify(requestWith({ cookie: `a=b; ledge=${secret}; c=d` }))).toMatchObject({ user: 'admin', role: 'admin' });
  expect(identifier.identify(requestWith({ cookie: `ledge=${secret}x` }))).toBeUndefined();
  expect(identifier.identify(requestWith({ cookie: `xledge=${secret}` }))).toBeUndefined();
  expect(identifier.identify(requestWith({ authorization: `bearer ${token}` }))).toMatchObject({ user: 'token:grafana', role: 'viewer' });
  for (const authorization of ['Bearer ldg_wrong', 'Bearer', 'Basic YWRtaW46YWRtaW4=', `Bearer ${secret}`]) {
    expect(() => identifier.identify(requestWith({ authorization, cookie: `ledge=${secret}` }))).toThrow(
      expect.objectContaining({ code: 'not-signed-in' }),
    );
  }
});

test.each([
  [{ host: 'box.local', origin: 'http://evil.example' }],
  [{ host: 'box.local', origin: 'http://box.local:9000' }],
  [{ host: 'box.local', origin: 'null' }],
  [{ host: 'box.local', origin: 'http://box.local.evil.example' }],
  [{ host: 'box.local', 'sec-fetch-site': 'cross-site' }],
  [{ host: 'box.local', 'sec-fetch-site': 'same-site' }],
  [{ host: 'box.local', origin: 'http://box.local', 'sec-fetch-site': 'cross-site' }],
])('what another site sends is refused: %j', (headers) => {
  expect(() => checkSameSite(requestWith(headers))).toThrow(expect.objectContaining({ code: 'cross-site' }));
});

test.each([
  [{ host: 'box.local' }],
  [{ host: 'box.local', origin: 'http://box.local' }],
  [{ host: 'BOX.local:8080', origin: 'http://box.local:8080' }],
  [{ host: 'box.local:80', origin: 'http://box.local' }],
  [{ host: 'box.example', origin: 'https://box.example', 'sec-fetch-site': 'same-origin' }],
  [{ host: '[::1]:8080', origin: 'http://[::1]:8080' }],
  [{ host: 'box.local', origin: 'http://evil.example', authorization: 'Bearer ldg_x' }],
])('what our own pages and programs send passes: %j', (headers) => {
  expect(() => checkSameSite(requestWith(headers))).not.toThrow();
});

test('unknown names and wrong passwords are told apart by nobody', async () => {
  const { users, clock } = await box();
  const refused: unknown[] = [];
  const signIn = new SignIn({ users, throttle: new LoginThrottle(clock), clock, onRefused: (...args) => refused.push(args) });
  const [unknown, wrong] = await Promise.allSettled([
    signIn.check('nobody', 'some-Thing-12', '10.0.0.5'),
    signIn.check('admin', 'some-Thing-12', '10.0.0.5'),
  ]);
  expect(unknown).toMatchObject({ reason: { code: 'wrong-password', message: (wrong as PromiseRejectedResult).reason.message } });
  expect(refused).toHaveLength(2);
  expect(await signIn.check('admin', PASSWORD, '10.0.0.5')).toEqual({ name: 'admin', role: 'admin' });
});

test('nobody signs in before the set-up', async () => {
  const { users, clock } = await box({ setUp: false });
  const signIn = new SignIn({ users, throttle: new LoginThrottle(clock), clock, onRefused: () => {} });
  await expect(signIn.check('admin', PASSWORD, '10.0.0.5')).rejects.toMatchObject({ code: 'setup-needed' });
});

const quiet = pino({ level: 'silent' });
const entry = (user: string, action = 'POST /api/device/things') => ({ user, address: '10.0.0.5', action, detail: '', status: 200 });

test('the audit log pages from the newest, and keeps a bounded number', async () => {
  const { db, clock } = await box();
  const audit = new AuditLog(db, clock, quiet);
  for (let i = 0; i < MAX_AUDIT_ENTRIES + 500; i++) audit.add(entry('admin', `POST ${i}`));
  const first = audit.page(2, undefined);
  expect(first.items.map((e) => e.action)).toEqual([`POST ${MAX_AUDIT_ENTRIES + 499}`, `POST ${MAX_AUDIT_ENTRIES + 498}`]);
  expect(audit.page(1, first.cursor).items[0]?.action).toBe(`POST ${MAX_AUDIT_ENTRIES + 497}`);
  expect(db.prepare('SELECT count(*) AS n FROM audit').get()?.n).toBeLessThanOrEqual(MAX_AUDIT_ENTRIES + 100);
  expect(() => audit.page(2, 'x')).toThrow(/cursor/);
});

test('the last page of the audit log has no cursor', async () => {
  const { db, clock } = await box();
  const audit = new AuditLog(db, clock, quiet);
  audit.add(entry('admin'));
  audit.add(entry('admin'));
  expect(audit.page(2, undefined).cursor).toBeUndefined();
  expect(audit.page(1, undefined).cursor).toBeDefined();
});

test('audit entries are committed together within a second', async () => {
  const { db, clock } = await box();
  const audit = new AuditLog(db, clock, quiet);
  audit.start();
  const count = () => db.prepare('SELECT count(*) AS n FROM audit').get()?.n;
  audit.add(entry('admin'));
  audit.add(entry('anna'));
  expect(count()).toBe(0);
  await clock.advance(1000);
  expect(count()).toBe(2);
  audit.add(entry('admin'));
  audit.stop();
  expect(count()).toBe(3);
  expect(clock.pendingTimers).toBe(0);
});

test('a flood of strangers does not fill the audit log', async () => {
  const { db, clock } = await box();
  const audit = new AuditLog(db, clock, quiet);
  for (let i = 0; i < 1000; i++) audit.add(entry(NOBODY));
  audit.add(entry('admin'));
  expect(audit.page(1000, undefined).items).toHaveLength(31);
  await clock.advance(60_000);
  audit.add(entry(NOBODY));
  expect(audit.page(1000, undefined).items).toHaveLength(32);
});

test('every way in which a session or token can end is told, and a role that changes is one', async () => {
  const { db, users, sessions, tokens, clock } = await box();
  const ended: string[] = [];
  watchGrants(db, (grant) => ended.push(grant));
  const session = (user: string) => keyOf(sessions.open(user).secret);
  const endedBy = async (work: () => unknown) => {
    ended.length = 0;
    await work();
    await Promise.resolve();
    return [...ended];
  };
  const token = tokens.add('script', 'viewer', 1);
  expect(await endedBy(() => tokens.remove(token.id))).toEqual([token.id]);
  const mine = session('admin');
  const other = session('admin');
  expect(await endedBy(() => sessions.closeOthers('admin', mine))).toEqual([other]);
  expect(await endedBy(() => sessions.close(mine))).toEqual([mine]);
  await users.save('Anna', 'viewer', 'blue-Cheese-42');
  const annas = session('anna');
  expect(await endedBy(() => users.save('anna', 'viewer', undefined))).toEqual([]);
  expect(await endedBy(() => users.save('anna', 'admin', undefined))).toEqual([annas]);
  expect(await endedBy(() => users.remove('anna'))).toEqual([annas]);
  const old = session('admin');
  await clock.advance(31 * DAY_MS);
  expect(await endedBy(() => sessions.open('admin'))).toEqual([old]);
});
