import { type BackupManifest, Problem, type RestoreView } from '@ledge/contract';
import type { Clock, Logger } from '@ledge/kit';
import { OWN_NAME } from '../gateway/gateway.ts';
import { type Backup, sendParts } from './archive.ts';
import type { Marker } from './marker.ts';
import type { Parts } from './parts.ts';

const LOOK_EVERY_MS = 1_000;
/** A service that was told to restart gets this long until it is told again. */
const RESTART_WITHIN_MS = 30_000;
/** What an interrupted restore left, and nobody decided, is looked for this long after the start. */
const SWEEP_MS = 60_000;

export interface RestorerPorts {
  parts: Parts;
  marker: Marker;
  clock: Clock;
  log: Logger;
  /** Names of the services that are there. */
  services(): string[];
  restart(service: string): Promise<void>;
}

/**
 * Puts a backup back in two steps. First every service lays its part beside what it uses and checks it; a failure drops them all. Then the marker is
 * written, each is told that it counts, and the services restart, this one first: the others read what it puts in place (ledge.yaml). Whoever
 * finds the marker at a start carries on.
 */
export class Restorer {
  readonly #ports: RestorerPorts;
  #restore: RestoreView | undefined;
  #stopLooking: (() => void) | undefined;
  readonly #ending = new AbortController();

  constructor(ports: RestorerPorts) {
    this.#ports = ports;
  }

  /** The restore that goes on, or the last one. */
  get view(): RestoreView | undefined {
    return this.#restore;
  }
  get isBusy(): boolean {
    return this.#restore?.state === 'preparing' || this.#restore?.state === 'restarting';
  }

  start(): void {
    this.#restore = this.#ports.marker.read();
    if (this.#restore?.state === 'restarting') this.#carryOn();
    else this.#sweep();
  }

  stop(): void {
    this.#ending.abort();
    this.#stopLooking?.();
  }

  /**
   * Begins; `view` tells how it goes.
   * @param services that get their part
   * @param recorded when the audit log has the wish: what this box keeps of that log is read while its part is prepared
   */
  begin(id: string, backup: Backup, manifest: BackupManifest, services: readonly string[], recorded: Promise<void>): RestoreView {
    this.#stopLooking?.(); // whatever lies about is dropped by those that get something new
    const { edge, name, made, parts } = manifest;
    const restore: RestoreView = {
      ...{ id, edge, name, made, doneBytes: 0, state: 'preparing' },
      totalBytes: parts.flatMap(({ files }) => files).reduce((sum, { bytes }) => sum + bytes, 0),
      services: [...services],
      waiting: [...services],
      signInAgain: services.includes(OWN_NAME),
      warnings: [],
    };
    this.#restore = restore;
    void this.#run(restore, backup, manifest, recorded);
    return restore;
  }

  async #run(restore: RestoreView, backup: Backup, manifest: BackupManifest, recorded: Promise<void>): Promise<void> {
    const { parts, marker, clock, log } = this.#ports;
    const { id, services } = restore;
    try {
      await recorded;
      await sendParts(backup, manifest, {
        wanted: (service) => services.includes(service),
        progress: (bytes) => (restore.doneBytes += bytes),
        send: async ({ service }, tar) => {
          restore.warnings.push(...(await parts.prepare(service, { id, from: manifest.edge }, tar, this.#ending.signal)));
        },
        signal: this.#ending.signal,
      });
      restore.state = 'restarting';
      marker.write(restore);
    } catch (error) {
      log.error({ restore: id, err: error }, 'nothing was restored, and nothing changed');
      // said only when nothing lies about any more
      await Promise.all(services.map((service) => parts.drop(service).catch(() => {})));
      restore.ended = new Date(clock.now()).toISOString();
      restore.problem = (
        error instanceof Problem ? error : new Problem('internal', 'The restore failed; the log has the details.')
      ).toDocument();
      restore.state = 'failed';
      return;
    }
    log.warn({ restore: id, from: manifest.edge, made: manifest.made, services }, 'a restore is decided');
    await Promise.all(services.map((service) => parts.commit(service, id).catch(() => {}))); // missed ones are told again below
    this.#carryOn();
  }

  /** Until every service has taken over its part. */
  #carryOn(): void {
    const { clock, log, marker } = this.#ports;
    const restore = this.#restore;
    if (!restore) return;
    const restartedMs = new Map<string, number>();
    let isLooking = false;
    const look = async () => {
      if (isLooking) return;
      isLooking = true;
      try {
        for (const service of [...restore.waiting].sort((a, b) => Number(b === OWN_NAME) - Number(a === OWN_NAME))) {
          if (await this.#push(service, restore, restartedMs)) restore.waiting = restore.waiting.filter((name) => name !== service);
          else if (service === OWN_NAME) return; // the others read what it puts in place
        }
        if (restore.waiting.length > 0) return;
        this.#stopLooking?.();
        restore.state = 'done';
        restore.ended = new Date(clock.now()).toISOString();
        marker.write(restore);
        log.info({ restore: restore.id, services: restore.services }, 'the restore is done');
      } catch (error) {
        log.error({ restore: restore.id, err: error }, 'the restore does not get on; it is tried again');
      } finally {
        isLooking = false;
      }
    };
    this.#stopLooking = clock.every(LOOK_EVERY_MS, () => void look());
    void look();
  }

  /** @returns whether the service has taken its part over */
  async #push(service: string, { id }: RestoreView, restartedMs: Map<string, number>): Promise<boolean> {
    const { parts, clock, restart, log } = this.#ports;
    const state = await parts.state(service).catch(() => undefined);
    if (!state) return false;
    if (state.state === 'none' || state.id !== id) return true;
    if (state.state === 'prepared') await parts.commit(service, id);
    if (clock.monotonic() - (restartedMs.get(service) ?? Number.NEGATIVE_INFINITY) < RESTART_WITHIN_MS) return false;
    restartedMs.set(service, clock.monotonic());
    await restart(service).catch((error: unknown) =>
      log.warn({ target: service, err: error }, 'it could not be restarted for the restore'),
    );
    return false;
  }

  /** Nothing was decided: what lies beside is from a restore that was interrupted. */
  #sweep(): void {
    const { parts, services, clock } = this.#ports;
    const asked = new Set<string>();
    const sinceMs = clock.monotonic();
    this.#stopLooking = clock.every(LOOK_EVERY_MS, () => {
      if (clock.monotonic() - sinceMs > SWEEP_MS) this.#stopLooking?.();
      for (const service of services().filter((name) => !asked.has(name))) {
        asked.add(service);
        parts
          .state(service)
          .then(
            (state) => (state?.state === 'prepared' && !this.isBusy ? parts.drop(service) : undefined),
            () => asked.delete(service),
          )
          .catch(() => {});
      }
    });
  }
}
