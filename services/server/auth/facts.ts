import type { DatabaseSync } from 'node:sqlite';

/** Single words that the server keeps, by name. */
export class Facts {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  get(name: string): string | undefined {
    return this.#db.prepare('SELECT value FROM facts WHERE name = ?').get(name)?.value as string | undefined;
  }

  set(name: string, value: string): void {
    this.#db
      .prepare('INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
      .run(name, value);
  }
}
