import { type EventPayload, type KioskHeartbeat, type KioskSettings, type KioskState, kioskSettingsSchema } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import type { Facts } from '../auth/facts.ts';

const FACT = 'kiosk';
const SILENT_AFTER_MS = 60_000;
const LOOK_EVERY_MS = 10_000;

export interface KioskPorts {
  facts: Facts;
  clock: Clock;
  onSilent(silent: EventPayload<'kiosk-silent'>): void;
  onSeen(seen: EventPayload<'kiosk-seen'>): void;
}

/** The box's own display: what it shows, and whether it is well. */
export class KioskDesk {
  readonly #ports: KioskPorts;
  #last: { heartbeat: KioskHeartbeat; atMs: number } | undefined;
  #silent = false;
  #stopLooking = () => {};

  constructor(ports: KioskPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#stopLooking = this.#ports.clock.every(LOOK_EVERY_MS, () => this.#look());
  }

  stop(): void {
    this.#stopLooking();
  }

  get settings(): KioskSettings {
    const stored = kioskSettingsSchema.safeParse(JSON.parse(this.#ports.facts.get(FACT) ?? '{}'));
    return stored.success ? stored.data : kioskSettingsSchema.parse({});
  }

  replace(settings: KioskSettings): void {
    this.#ports.facts.set(FACT, JSON.stringify(settings));
  }

  hear(heartbeat: KioskHeartbeat): void {
    this.#last = { heartbeat, atMs: this.#ports.clock.monotonic() };
    if (this.#silent) this.#ports.onSeen({ page: heartbeat.page });
    this.#silent = false;
  }

  get state(): KioskState {
    const last = this.#last && { ...this.#last.heartbeat, ageMs: Math.round(this.#ageMs(this.#last.atMs)) };
    return { silent: this.#silent, ...(last ? { last } : {}) };
  }

  /** What is wrong with it, in words; undefined while nothing is, or none was ever there. */
  get fault(): string | undefined {
    return this.#silent ? "the box's own display is silent" : undefined;
  }

  #look(): void {
    if (!this.#last || this.#silent) return;
    const silentMs = this.#ageMs(this.#last.atMs);
    if (silentMs <= SILENT_AFTER_MS) return;
    this.#silent = true;
    this.#ports.onSilent({ page: this.#last.heartbeat.page, silentS: Math.round(silentMs / 1000) });
  }

  #ageMs(atMs: number): number {
    return this.#ports.clock.monotonic() - atMs;
  }
}
