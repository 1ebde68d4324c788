import type { Clock } from '@ledge/kit';
import type { MachineFacts } from '../../machine.ts';
import type { SystemBus } from './system-bus.ts';

/** RAUC's D-Bus interface (docs/reference.rst). */
const RAUC = { destination: 'de.pengutronix.rauc', path: '/', interface: 'de.pengutronix.rauc.Installer' } as const;
/** RAUC runs a program for each answer; what it says changes with an update or a start only. */
const FRESH_MS = 60_000;

type Slots = NonNullable<MachineFacts['slots']>;

/** Both slots as the updater sees them. Nobody waits for it: it is asked beside, and the newest answer is told. */
export class SlotTable {
  readonly #bus: SystemBus;
  readonly #clock: Clock;
  #slots: Slots | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(bus: SystemBus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  /** Undefined until it has answered for the first time. */
  newest(): Slots | undefined {
    if (this.#clock.monotonic() - this.#askedMs >= FRESH_MS) {
      this.#askedMs = this.#clock.monotonic();
      this.#bus.call({ ...RAUC, member: 'GetSlotStatus' }).then(
        ([answer]) => {
          this.#slots = parseSlots(answer);
        },
        () => {}, // what was said last stays
      );
    }
    return this.#slots;
  }
}

/** `a(sa{sv})`: slots by name. Those that the boot loader starts have a `bootname`. */
export function parseSlots(answer: unknown): Slots {
  const entries = Array.isArray(answer) ? (answer as [string, Record<string, unknown>][]) : [];
  return entries
    .flatMap(([, slot]) => {
      if (typeof slot.bootname !== 'string') return [];
      const version = slot['bundle.version'];
      return [
        {
          name: slot.bootname,
          running: slot.state === 'booted',
          good: slot['boot-status'] === 'good',
          ...(typeof version === 'string' ? { version } : {}),
        },
      ];
    })
    .sort((a, b) => a.name.localeCompare(b.name));
}
