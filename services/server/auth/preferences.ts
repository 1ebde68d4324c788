import { readFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { type Preferences, preferencesSchema } from '@ledge/contract';

/**
 * How each person wants the pages to be. The owner is who asks, as the gateway says it: a person's name, or `token:<name>`, which no
 * person can be called as names have no colon. Tokens of one name share. They go with the person, or with the last token of the name.
 */
export class PreferenceStore {
  readonly #db: DatabaseSync;
  readonly #language: Preferences['language'];

  /** @param language the box's own, for who has chosen none */
  constructor(db: DatabaseSync, language?: Preferences['language']) {
    this.#db = db;
    this.#language = language;
  }

  /** What is not chosen is as the schema says; so is what an older or newer version has stored and this one does not understand. */
  of(owner: string): Preferences {
    const row = this.#db.prepare('SELECT value FROM preferences WHERE owner = ?').get(owner);
    const stored = preferencesSchema.safeParse(row ? JSON.parse(String(row.value)) : {});
    const preferences = stored.success ? stored.data : preferencesSchema.parse({});
    return this.#language ? { language: this.#language, ...preferences } : preferences;
  }

  replace(owner: string, preferences: Preferences): void {
    this.#db
      .prepare('INSERT INTO preferences (owner, value) VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET value = excluded.value')
      .run(owner, JSON.stringify(preferences));
  }
}

/** The language that the owner wrote to the card (README of `system/provision`); undefined where there is none. */
export function readBoxLanguage(file: string): Preferences['language'] {
  try {
    return preferencesSchema.shape.language.parse(readFileSync(file, 'utf8').trim());
  } catch {
    return undefined;
  }
}
