import { createReadStream, existsSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Problem, shown } from '@ledge/contract';
import { type Encoding, type WebFile, WebFiles } from './files.ts';

const YEAR_S = 365 * 24 * 60 * 60;

/** The folder of the built web UI: what the environment says, beside the bundle, or where a source checkout builds it. */
export function locateWebUi(environment: Readonly<Record<string, string | undefined>>): string {
  const besideBundle = join(import.meta.dirname, 'webui');
  const inCheckout = join(import.meta.dirname, '..', '..', '..', 'dist', 'webui');
  return environment.EDGE_WEBUI || (existsSync(besideBundle) ? besideBundle : inCheckout);
}

/** Serves the web UI: hashed files for ever, pages after asking, and `index.html` for the paths that the pages make up themselves. */
export class WebUi {
  readonly #files: WebFiles;

  constructor(dir: string) {
    this.#files = new WebFiles(dir);
  }

  /** @throws Problem `not-found`, `method-not-allowed` */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request.url ?? '/');
    const file = path === undefined ? undefined : this.#choose(path);
    if (!file) {
      if (path === '/') throw new Problem('not-found', 'The web UI is not built; ./build.sh makes it.');
      throw new Problem('not-found', `There is nothing at ${shown(request.url)}`);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      throw new Problem('method-not-allowed', `${path} takes GET and HEAD, not ${request.method}`);
    }
    await send(file, request, response);
  }

  #choose(path: string): WebFile | undefined {
    const exact = this.#files.find(path.endsWith('/') ? `${path}index.html` : path);
    if (exact || extname(path) !== '') return exact;
    const page = path.replace(/\/$/, '');
    return this.#files.find(`${page}.html`) ?? this.#files.find(`${page}/index.html`) ?? this.#files.find('/index.html');
  }
}

function pathOf(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split(/[?#]/, 1)[0] ?? '');
  } catch {
    return undefined;
  }
}

async function send(file: WebFile, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const encoding = encodingFor(file, request.headers['accept-encoding']);
  const source = encoding === undefined ? file.file : (file.compressed[encoding] ?? file.file);
  const etag = encoding === undefined ? file.etag : file.etag.replace(/"$/, `-${encoding}"`);
  response.setHeader('ETag', etag);
  response.setHeader('Vary', 'Accept-Encoding');
  response.setHeader('Cache-Control', file.immutable ? `public, max-age=${YEAR_S}, immutable` : 'no-cache');
  if (matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader('Content-Type', file.type);
  if (encoding !== undefined) response.setHeader('Content-Encoding', encoding);
  response.setHeader('Content-Length', statSync(source).size);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(createReadStream(source), response).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error; // the reader left
  });
}

/** RFC 9110, 13.1.2; weak comparison, as GET asks for. */
const matches = (header: string | undefined, etag: string) =>
  header?.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag) === true;

/** RFC 9110, 12.5.3, for the two encodings that builds make; the smaller one where both are taken. */
function encodingFor(file: WebFile, accept: string | undefined): Encoding | undefined {
  const taken = new Set<string>();
  for (const one of (accept ?? '').split(',')) {
    const [name = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase());
    if (!parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))) taken.add(name);
  }
  return (['br', 'gzip'] as const).find((encoding) => taken.has(encoding) && file.compressed[encoding] !== undefined);
}
