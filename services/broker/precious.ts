import { DatabaseSync } from 'node:sqlite';
import { type AccessRule, accessRuleSchema, parse } from '@ledge/contract';
import type { Precious } from '@ledge/kit';
import { z } from 'zod';

const USERS = 'broker/users.db';

/**
 * Users with their rules. Retained messages and sessions are not part: whoever keeps a value says it again, and a value of last month would be
 * heard as one of now. The certificate bears the box's name; clients that pin it find it again on the same box only.
 */
export const precious: Precious = {
  items: [
    { path: USERS },
    { path: 'secrets/broker-certificate.pem', sameBoxOnly: true },
    { path: 'secrets/broker-key.pem', sameBoxOnly: true },
  ],
  receive({ file, fromEdge, toEdge }) {
    const users = file(USERS);
    if (users) adoptUsers(users, fromEdge, toEdge);
  },
};

/** Rules name topics of the box they were made on; here these begin with another id. */
function adoptUsers(file: string, fromEdge: string, toEdge: string): void {
  const db = new DatabaseSync(file);
  try {
    db.exec('BEGIN');
    for (const { name, rules } of db.prepare('SELECT name, rules FROM user').all()) {
      const read = parse(z.array(accessRuleSchema), JSON.parse(String(rules)), 'backup-refused', `rules of ${name}`);
      const adopted = read.map((rule): AccessRule => ({ ...rule, filter: adopt(rule.filter, fromEdge, toEdge) }));
      db.prepare('UPDATE user SET rules = ? WHERE name = ?').run(JSON.stringify(adopted), String(name));
    }
    db.exec('COMMIT');
  } finally {
    db.close();
  }
}

const adopt = (filter: string, fromEdge: string, toEdge: string) =>
  filter === fromEdge || filter.startsWith(`${fromEdge}/`) ? toEdge + filter.slice(fromEdge.length) : filter;
