import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { type DoctorReport, deviceApi, type MachineView, parse } from '@ledge/contract';
import type { ServiceManager } from '@ledge/host';
import { CALLER_HEADERS, type Clock, type DataDir, type Target } from '@ledge/kit';
import { ask, proofFor } from '../registry/address.ts';
import type { ServiceRegistry } from '../registry/registry.ts';
import { type ArchiveFile, writeArchive } from './archive.ts';
import { lastLines } from './last-lines.ts';
import { SecretFilter } from './secrets.ts';

const MAX_LOG_LINES = 2_000;
const ANSWER_WITHIN_MS = 3_000;

export interface DiagnosisPorts {
  data: DataDir;
  clock: Clock;
  registry: Pick<ServiceRegistry, 'names' | 'find' | 'views'>;
  manager: ServiceManager | undefined;
  machine: { view(): Promise<MachineView> };
  doctor: { report(): Promise<DoctorReport> };
  edge: { readonly id: string; readonly name: string };
  version: string;
  ownName: string;
  ownSettings(): unknown;
  /** What proves to services on a TCP port that the server asks. */
  secret: string;
}

/** All that somebody far away needs to understand what ails a box, and no secret. */
export class Diagnosis {
  readonly #ports: DiagnosisPorts;

  constructor(ports: DiagnosisPorts) {
    this.#ports = ports;
  }

  /** Streams a .tar.gz; resolves when all of it is written. */
  async write(to: Writable, signal: AbortSignal): Promise<void> {
    const { data, clock } = this.#ports;
    const filter = new SecretFilter([this.#ports.secret, ...(await secretsBelow(join(data.root, 'secrets')))]);
    await writeArchive(this.#files(filter), to, { signal, filtered: (text) => filter.text(text), now: () => clock.now() });
  }

  async *#files(filter: SecretFilter): AsyncGenerator<ArchiveFile> {
    const { clock, registry, manager, machine, doctor, edge, version, ownName, ownSettings } = this.#ports;
    const json = (path: string, make: () => unknown): ArchiveFile => ({
      path: `${edge.id}/${path}`,
      text: async () => `${JSON.stringify(filter.value(await make()), undefined, 2)}\n`,
    });
    yield json('about.json', () => ({
      edge: edge.id,
      name: edge.name,
      time: new Date(clock.now()).toISOString(),
      version,
      node: process.versions,
      platform: `${process.platform} ${process.arch}`,
    }));
    yield json('machine.json', () => machine.view());
    yield json('services.json', () => registry.views());
    for (const name of registry.names()) {
      yield json(`settings/${name}.json`, () => (name === ownName ? { values: ownSettings() } : this.#askJson(name, '/settings')));
    }
    yield {
      path: `${edge.id}/log.jsonl`,
      text: async () => (await lastLines(manager, clock, MAX_LOG_LINES)).map((line) => `${JSON.stringify(filter.value(line))}\n`).join(''),
    };
    yield* this.#things(filter);
    yield json('doctor.json', () => doctor.report());
  }

  async *#things(filter: SecretFilter): AsyncGenerator<ArchiveFile> {
    const folder = `${this.#ports.edge.id}/things`;
    let things: string[] = [];
    try {
      things = parse(deviceApi.files.response, await this.#askJson('device', '/files')).map(({ thing }) => thing);
    } catch (cause) {
      yield { path: folder, text: () => Promise.reject(cause) };
    }
    for (const thing of things) {
      const read = async () =>
        parse(deviceApi.readFile.response, await this.#askJson('device', `/things/${encodeURIComponent(thing)}/file`)).yaml;
      yield { path: `${folder}/${thing.replaceAll(/[/\\]/g, '_')}.yaml`, text: async () => filter.yaml(await read()) };
    }
  }

  async #askJson(service: string, path: string): Promise<unknown> {
    const { clock, registry, secret, ownName } = this.#ports;
    const target: Target | undefined = registry.find(service);
    if (!target) throw new Error(`${service} does not run`);
    const headers = { [CALLER_HEADERS.user]: ownName, [CALLER_HEADERS.role]: 'admin', ...proofFor(target, secret) };
    return JSON.parse(await ask(clock, { target, path, headers, withinMs: ANSWER_WITHIN_MS }));
  }
}

/** What may be read of the box's own secrets; the others are out of reach for the log as well. */
async function secretsBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const texts = await Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8').catch(() => '')),
  );
  return texts.flatMap((text) => text.split('\n')).map((line) => line.trim());
}
