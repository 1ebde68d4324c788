import type { KioskSettings } from '@ledge/contract';
import { type Signal, signal } from '@preact/signals';
import type { Api } from '../client/api.ts';
import { ApiProblem } from '../client/problem.ts';

export type Phase =
  | { kind: 'starting' | 'away' | 'refused' }
  /** `edge` and `name` of the box that is shown. */
  | { kind: 'on'; edge: string; name: string };

const RETRY_MS = 3000;
const REFUSED_MS = 15_000;
const SETTINGS_EVERY_MS = 30_000;

/** What the display shows, and whether it may: tries again by itself, whatever happens. */
export class Display {
  readonly phase: Signal<Phase> = signal({ kind: 'starting' });
  readonly settings: Signal<KioskSettings> = signal({ title: '', tiles: [], dark: 'auto' });
  readonly #api: Api;
  readonly #after: (ms: number, task: () => void) => () => void;
  #cancel = () => {};

  constructor(api: Api, after: (ms: number, task: () => void) => () => void) {
    this.#api = api;
    this.#after = after;
  }

  async start(): Promise<void> {
    this.#cancel();
    try {
      const [{ edge, name }, settings] = await Promise.all([this.#api.server.health(), this.#api.server.kiosk()]);
      if (JSON.stringify(settings) !== JSON.stringify(this.settings.peek())) this.settings.value = settings;
      const before = this.phase.peek();
      if (before.kind !== 'on' || before.edge !== edge) this.phase.value = { kind: 'on', edge, name: name ?? edge };
      this.#cancel = this.#after(SETTINGS_EVERY_MS, () => void this.start());
    } catch (error) {
      const code = error instanceof ApiProblem ? error.code : undefined;
      const isRefused = code === 'not-signed-in' || code === 'not-allowed';
      // while a picture is there it stays: the stream says itself that the values are old
      if (isRefused) this.phase.value = { kind: 'refused' };
      else if (this.phase.peek().kind !== 'on') this.phase.value = { kind: 'away' };
      this.#cancel = this.#after(isRefused ? REFUSED_MS : RETRY_MS, () => (isRefused ? location.reload() : void this.start()));
    }
  }

  /** The box no longer knows this display. */
  ended(): void {
    if (this.phase.peek().kind !== 'on') return;
    this.phase.value = { kind: 'starting' };
    void this.start();
  }
}
