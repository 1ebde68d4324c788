import type { Clock, Logger, Target } from '@ledge/kit';
import { z } from 'zod';
import { ask } from '../registry/address.ts';
import type { OpenApiDocument } from './merge.ts';

const ANSWER_WITHIN_MS = 2_000;

/** The outline that merging relies on; the rest of a document passes as it is. */
const outlineSchema = z.looseObject({
  openapi: z.string().startsWith('3.1'),
  info: z.looseObject({ title: z.string(), version: z.string(), description: z.string().optional() }),
  paths: z.record(z.string().startsWith('/'), z.record(z.string(), z.unknown())),
  components: z
    .looseObject({
      schemas: z.record(z.string().regex(/^[\w.-]+$/), z.unknown()).optional(),
      securitySchemes: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
});

export interface DocumentSources {
  names(): string[];
  find(name: string): Target | undefined;
  instanceOf(name: string): string | undefined;
}

/** OpenAPI documents of the services that run now, each fetched once for every start of its service. */
export class OpenApiDocuments {
  readonly #sources: DocumentSources;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #cache = new Map<string, { instance: string; document: OpenApiDocument }>();

  constructor(sources: DocumentSources, clock: Clock, log: Logger) {
    this.#sources = sources;
    this.#clock = clock;
    this.#log = log;
  }

  /** By service name, in their order. A service that does not answer is left out, unless its document is known from before. */
  async all(): Promise<Map<string, OpenApiDocument>> {
    const names = this.#sources.names();
    const documents = await Promise.all(names.map((name) => this.#of(name)));
    return new Map(names.flatMap((name, i) => (documents[i] ? [[name, documents[i]] as const] : [])));
  }

  async #of(name: string): Promise<OpenApiDocument | undefined> {
    const instance = this.#sources.instanceOf(name);
    const cached = this.#cache.get(name);
    if (cached && cached.instance === instance) return cached.document;
    const target = this.#sources.find(name);
    if (!target) return undefined;
    try {
      const text = await ask(this.#clock, { target, path: '/openapi.json', withinMs: ANSWER_WITHIN_MS });
      const document = outlineSchema.parse(JSON.parse(text)) as OpenApiDocument;
      if (instance !== undefined) this.#cache.set(name, { instance, document });
      return document;
    } catch (error) {
      this.#log.warn({ target: name, err: error }, 'its OpenAPI document could not be read');
      return undefined;
    }
  }
}
