import type { AccessRule } from '@ledge/contract';
import type { MosquittoHash } from './password.ts';

/** Somebody who may come in. */
export interface Account {
  name: string;
  rules: readonly AccessRule[];
  hash: MosquittoHash;
  /** Changes when the password does. */
  passwordId: string;
  /** In clear where it is known: a mosquitto that runs takes passwords only so. */
  password?: string;
}
/** Everybody who may come in. */
export interface Guests {
  accounts: readonly Account[];
  /** Rules of clients that give no name; whether they come in at all is said elsewhere. */
  anonymous: readonly AccessRule[];
}

type AclType = 'publishClientSend' | 'publishClientReceive' | 'subscribePattern';
interface Acl {
  acltype: AclType;
  topic: string;
  priority: number;
  allow: boolean;
}
/** A command of the dynamic-security plugin. */
export type Command = { command: string } & Record<string, unknown>;

/** The highest that matches decides. */
const PRIORITY = { allow: 0, notByWildcard: 1, allowByName: 2, deny: 3, never: 4 } as const;
const EVERY_TYPE: readonly AclType[] = ['publishClientSend', 'publishClientReceive', 'subscribePattern'];
/** For mosquitto `#` covers these in a SUBSCRIBE; for MQTT, and for our rules, it does not. */
const BEYOND_WILDCARDS = ['$SYS/#', '$CONTROL/#', '$share/#', '$ledge/#'];
/** Whoever may publish here may do everything. */
const CONTROL = '$CONTROL/#';
const ANONYMOUS = 'anonymous';
const roleOf = (account: string) => `account ${account}`;

/** Rules in the plugin's words. The plugin knows one entry per type and topic: of several the one with the highest priority is kept. */
export function aclsOf(rules: readonly AccessRule[]): Acl[] {
  const acls = new Map<string, Acl>();
  const add = (acltype: AclType, topic: string, priority: number) => {
    const key = `${acltype} ${topic}`;
    if ((acls.get(key)?.priority ?? -1) >= priority) return;
    acls.set(key, { acltype, topic, priority, allow: priority === PRIORITY.allow || priority === PRIORITY.allowByName });
  };
  for (const acltype of EVERY_TYPE) add(acltype, CONTROL, PRIORITY.never);
  for (const topic of BEYOND_WILDCARDS) add('subscribePattern', topic, PRIORITY.notByWildcard);
  for (const { filter, access } of rules) {
    // half of a surrogate pair is in no topic, and JSON with it is refused as a whole
    if (!filter.isWellFormed()) continue;
    const allow = filter.startsWith('$') ? PRIORITY.allowByName : PRIORITY.allow;
    if (access === 'deny') for (const acltype of EVERY_TYPE) add(acltype, filter, PRIORITY.deny);
    if (access === 'publish' || access === 'both') add('publishClientSend', filter, allow);
    if (access === 'subscribe' || access === 'both') for (const acltype of EVERY_TYPE.slice(1)) add(acltype, filter, allow);
  }
  return [...acls.values()];
}

const everything = (): Acl[] =>
  ['#', '$SYS/#', '$ledge/#', CONTROL].flatMap((topic) =>
    EVERY_TYPE.map((acltype) => ({ acltype, topic, priority: PRIORITY.allow, allow: true })),
  );

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** The plugin's whole file. `engine` may do everything. `kicker` may receive, or mosquitto would empty the sessions of clients that it kicks. */
export function securityDocument({ accounts, anonymous }: Guests, engine: Login, kicker: Login): string {
  const client = (username: string, { salt, hash, iterations }: MosquittoHash, roles: string[]) => ({
    username,
    password: base64(hash),
    salt: base64(salt),
    iterations,
    roles: roles.map((rolename) => ({ rolename })),
  });
  return JSON.stringify({
    defaultACLAccess: { publishClientSend: false, publishClientReceive: false, subscribe: false, unsubscribe: true },
    clients: [
      client(engine.name, engine.hash, [roleOf(engine.name)]),
      client(kicker.name, kicker.hash, [roleOf(kicker.name)]),
      ...accounts.map(({ name, hash }) => client(name, hash, [roleOf(name)])),
    ],
    groups: [{ groupname: ANONYMOUS, roles: [{ rolename: ANONYMOUS }] }],
    anonymousGroup: ANONYMOUS,
    roles: [
      { rolename: roleOf(engine.name), acls: everything() },
      { rolename: roleOf(kicker.name), acls: aclsOf([{ filter: '#', access: 'subscribe' }]) },
      { rolename: ANONYMOUS, acls: aclsOf(anonymous) },
      ...accounts.map(({ name, rules }) => ({ rolename: roleOf(name), acls: aclsOf(rules) })),
    ],
  });
}
type Login = Pick<Account, 'name' | 'hash'>;

/**
 * What must be said to a mosquitto that knows `before`, so that it knows `after`; undefined when it can only be told by starting it anew,
 * because a password is not known in clear. Changed rules disconnect nobody; a changed password and a removal do.
 */
export function commandsBetween(before: Guests, after: Guests): Command[] | undefined {
  const commands: Command[] = [];
  const known = new Map(before.accounts.map((account) => [account.name, account]));
  for (const { name, rules, password, passwordId } of after.accounts) {
    const old = known.get(name);
    known.delete(name);
    if (old?.passwordId !== passwordId && password === undefined) return undefined;
    const rolename = roleOf(name);
    if (!old) {
      commands.push({ command: 'createRole', rolename, acls: aclsOf(rules) });
      commands.push({ command: 'createClient', username: name, password, roles: [{ rolename }] });
      continue;
    }
    if (!sameRules(old.rules, rules)) commands.push({ command: 'modifyRole', rolename, acls: aclsOf(rules) });
    if (old.passwordId !== passwordId) commands.push({ command: 'setClientPassword', username: name, password });
  }
  for (const name of known.keys()) {
    commands.push({ command: 'deleteClient', username: name }, { command: 'deleteRole', rolename: roleOf(name) });
  }
  if (!sameRules(before.anonymous, after.anonymous)) {
    commands.push({ command: 'modifyRole', rolename: ANONYMOUS, acls: aclsOf(after.anonymous) });
  }
  return commands;
}

const sameRules = (a: readonly AccessRule[], b: readonly AccessRule[]) =>
  a === b || (a.length === b.length && a.every((rule, n) => rule.filter === b[n]?.filter && rule.access === b[n]?.access));
