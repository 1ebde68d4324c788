import { type Language, language } from '../client/format.ts';
import type admin from './en/admin.ts';
import type backup from './en/backup.ts';
import type dashboard from './en/dashboard.ts';
import type kiosk from './en/kiosk.ts';
import type media from './en/media.ts';
import type mqtt from './en/mqtt.ts';
import type people from './en/people.ts';
import type services from './en/services.ts';
import type shell from './en/shell.ts';
import type system from './en/system.ts';
import type things from './en/things.ts';

/** One catalogue file per part of the pages and language, so that a page loads only its own words. English says which words there are. */
export interface Catalogue {
  admin: typeof admin;
  backup: typeof backup;
  dashboard: typeof dashboard;
  kiosk: typeof kiosk;
  media: typeof media;
  mqtt: typeof mqtt;
  people: typeof people;
  services: typeof services;
  shell: typeof shell;
  system: typeof system;
  things: typeof things;
}
export type Part = keyof Catalogue;

/** The same words in another language: texts stay texts, and sentences with something in them take the same. */
export type Translated<T> = {
  [K in keyof T]: T[K] extends (...values: infer V) => string ? (...values: V) => string : T[K] extends string ? string : Translated<T[K]>;
};

const files = import.meta.glob<{ default: unknown }>('./{en,fr}/*.ts');
const loaded = new Map<string, unknown>();
const parts = new Set<Part>();

async function load(tag: Language, part: Part): Promise<void> {
  const key = `./${tag}/${part}.ts`;
  if (loaded.has(key)) return;
  const file = await files[key]?.();
  if (!file) throw new Error(`there is no catalogue ${key}`);
  loaded.set(key, file.default);
}

/** Loads the words of parts of the pages in the present language; {@link words} has them then. */
export async function loadWords(...names: Part[]): Promise<void> {
  for (const name of names) parts.add(name);
  await Promise.all(names.map((name) => load(language.peek(), name)));
}

/** Speaks another language from now on: what is on the screen changes when all of its words are there. */
export async function speak(next: Language): Promise<void> {
  await Promise.all([...parts].map((part) => load(next, part)));
  language.value = next;
}

/** The words of a part that {@link loadWords} loaded. A component that reads them is drawn again when the language changes. */
export function words<P extends Part>(part: P): Catalogue[P] {
  const found = loaded.get(`./${language.value}/${part}.ts`) ?? loaded.get(`./en/${part}.ts`);
  if (!found) throw new Error(`the words of ${part} are not loaded`);
  return found as Catalogue[P];
}
