import { type EventKind, type EventPayload, Problem, type Session, serverApi } from '@ledge/contract';
import type { Api } from '@ledge/kit';
import type { Request, Response } from 'express';
import { OWN_HEADERS } from '../gateway/headers.ts';
import type { AuditNote } from './audit.ts';
import type { Auth } from './auth.ts';
import { CLEARED_COOKIE, sessionId, sessionView } from './sessions.ts';
import type { User } from './users.ts';

/** What the first start may choose besides the password. */
export type FirstWishes = (wishes: { name?: string | undefined; timeZone?: string | undefined }, user: string) => Promise<void>;
type Emit = <K extends EventKind>(kind: K, payload: EventPayload<K>) => void;

const addressOf = (request: Request) => request.get(OWN_HEADERS.address) ?? 'unknown';
const sessionOf = (request: Request) => request.get(OWN_HEADERS.session);
const note = (response: Response, audit: AuditNote) => {
  response.locals.audit = audit;
};

/** Sign-in, people and tokens. */
export function serveAuth(
  api: Api,
  { users, sessions, tokens, preferences, signIn, audit }: Auth,
  emit: Emit,
  firstWishes: FirstWishes,
): void {
  const openSession = (user: User, request: Request, response: Response): Session => {
    const { secret, expiresMs } = sessions.open(user.name, { address: addressOf(request), agent: request.get('user-agent') ?? '' });
    response.setHeader('Set-Cookie', sessions.cookie(secret, expiresMs));
    return sessionView(user.name, user.role, expiresMs);
  };

  api.handle(serverApi.setup, async ({ body, request, response }) => {
    const admin = await users.setUp(body.password);
    note(response, { user: admin.name, detail: 'chose the admin password' });
    const { language, name, timeZone } = body;
    if (language) preferences.replace(admin.name, { ...preferences.of(admin.name), language });
    await firstWishes({ name, timeZone }, admin.name);
    emit('sign-in', { user: admin.name, address: addressOf(request) });
    return openSession(admin, request, response);
  });

  api.handle(serverApi.login, async ({ body, request, response }) => {
    const address = addressOf(request);
    note(response, { detail: `tried ${body.name}` });
    const user = await signIn.check(body.name, body.password, address);
    note(response, { user: user.name });
    const old = sessionOf(request);
    if (old) sessions.close(old);
    emit('sign-in', { user: user.name, address });
    return openSession(user, request, response);
  });

  api.handle(serverApi.logout, ({ request, response }) => {
    const key = sessionOf(request);
    if (key) sessions.close(key);
    response.setHeader('Set-Cookie', CLEARED_COOKIE);
  });

  api.handle(serverApi.session, ({ caller, request }) => sessionView(caller.user, caller.role, Number(request.get(OWN_HEADERS.expires))));

  api.handle(serverApi.sessions, ({ caller, request }) =>
    sessions.list(caller.role === 'admin' ? undefined : caller.user, sessionOf(request)),
  );

  api.handle(serverApi.endSession, ({ params, caller, request, response }) => {
    sessions.end(params.id, caller.role === 'admin' ? undefined : caller.user);
    const own = sessionOf(request);
    if (own && sessionId(own) === params.id) response.setHeader('Set-Cookie', CLEARED_COOKIE);
  });

  api.handle(serverApi.preferences, ({ caller }) => preferences.of(caller.user));

  api.handle(serverApi.changePreferences, ({ body, caller }) => {
    preferences.replace(caller.user, body);
    return body;
  });

  api.handle(serverApi.password, async ({ body, caller, request }) => {
    // the same slowness as signing in: a borrowed session must not try passwords quickly
    if (!users.find(caller.user)) throw new Problem('not-allowed', `${caller.user} is no person and has no password.`);
    await signIn.check(caller.user, body.old, addressOf(request));
    await users.changePassword(caller.user, body.new);
    sessions.closeOthers(caller.user, sessionOf(request));
  });

  api.handle(serverApi.users, () => users.list());

  api.handle(serverApi.addUser, async ({ body, caller, request, response }) => {
    note(response, { detail: `${body.name} as ${body.role}${body.password === undefined ? '' : ', with a new password'}` });
    const user = await users.save(body.name, body.role, body.password);
    if (body.password !== undefined) sessions.closeOthers(user.name, user.name === caller.user ? sessionOf(request) : undefined);
    return user;
  });

  api.handle(serverApi.removeUser, ({ params }) => users.remove(params.name));

  api.handle(serverApi.tokens, () => tokens.list());

  api.handle(serverApi.addToken, ({ body, caller, response }) => {
    const token = tokens.add(body.name, body.role, body.expiresInDays);
    note(response, { detail: `${body.name} (${token.id}) as ${body.role} for ${body.expiresInDays} days` });
    emit('token-made', { user: caller.user, token: body.name });
    return token;
  });

  api.handle(serverApi.removeToken, ({ params }) => tokens.remove(params.id));

  api.handle(serverApi.audit, ({ query }) => audit.page(query.limit, query.cursor));
}
