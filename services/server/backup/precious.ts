import { existsSync } from 'node:fs';
import { Problem } from '@ledge/contract';
import type { Precious } from '@ledge/kit';
import { openSettingsDatabase } from '../auth/database.ts';

const PEOPLE = 'server/settings.db';

/** People, tokens, preferences and history; what people wrote for the whole box. Sessions are no part: whoever was signed in then is not now. */
export const precious: Precious = {
  items: [
    // on the card it belongs to root
    { path: 'ledge.yaml', isTopFile: true, ifWritable: true },
    // the name that people gave the box; on the card the import may own it until the next start
    { path: 'settings/edge.yaml', ifWritable: true },
    { path: PEOPLE, prune: 'DELETE FROM sessions; DELETE FROM audit; DELETE FROM facts' },
    { path: 'server/history', history: true },
  ],
  receive({ file, present }) {
    const people = file(PEOPLE);
    if (people) adoptPeople(people, present(PEOPLE));
  },
};

/**
 * Brings the file to this version; who did what on this box, and which first passwords it has taken, stay this box's own.
 * @throws Problem `backup-refused` for one that would leave nobody to rule the box
 */
function adoptPeople(file: string, present: string): void {
  let db: ReturnType<typeof openSettingsDatabase>;
  try {
    db = openSettingsDatabase(file);
  } catch (cause) {
    throw new Problem('backup-refused', `The people in the backup cannot be used: ${(cause as Error).message}`, { cause });
  }
  try {
    if (!db.prepare("SELECT 1 FROM users WHERE role = 'admin'").get())
      throw new Problem('backup-refused', 'The backup has no admin: anybody could set the box up anew.');
    db.exec('DELETE FROM sessions; DELETE FROM audit; DELETE FROM facts;');
    if (existsSync(present)) {
      db.prepare('ATTACH ? AS present').run(present);
      db.exec('INSERT INTO audit SELECT * FROM present.audit; INSERT INTO facts SELECT * FROM present.facts; DETACH present;');
    }
    db.exec('PRAGMA journal_mode = DELETE'); // nothing lies beside it when it is moved
  } finally {
    db.close();
  }
}
