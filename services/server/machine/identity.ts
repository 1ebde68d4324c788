import { Problem } from '@ledge/contract';
import type { Machine } from '@ledge/host';
import { type DataDir, type Environment, type Logger, renameEdge } from '@ledge/kit';

/** What people choose of the box itself. */
export interface IdentityWish {
  name?: string | undefined;
  timeZone?: string | undefined;
}

export interface IdentityPorts {
  /** As the service was started with. */
  edge: { readonly id: string; readonly name: string };
  data: DataDir;
  environment: Environment;
  machine: Machine;
  log: Logger;
  onChanged(keys: string[], user: string): void;
}

/** Who the box is: its id, which stays, its name, which people choose, and the time zone of the machine. */
export class BoxIdentity {
  readonly id: string;
  readonly #ports: IdentityPorts;
  #name: string;

  constructor(ports: IdentityPorts) {
    this.#ports = ports;
    this.id = ports.edge.id;
    this.#name = ports.edge.name;
  }

  get name(): string {
    return this.#name;
  }

  /**
   * Changes what is wished for. The other services take the name at their next start.
   * @throws Problem `locked-by-environment`, `not-supported`, `not-allowed`, `invalid-value`, `service-away`; nothing is changed then
   */
  async change(wish: IdentityWish, user: string): Promise<void> {
    const { environment, machine, onChanged } = this.#ports;
    if (wish.name !== undefined && environment.EDGE_NAME)
      throw new Problem('locked-by-environment', `name is fixed by EDGE_NAME (${environment.EDGE_NAME}); change it there`);
    if (wish.timeZone !== undefined) await machine.setTimeZone(wish.timeZone);
    if (wish.name !== undefined) this.#rename(wish.name);
    const changed = (['name', 'timeZone'] as const).filter((key) => wish[key] !== undefined);
    if (changed.length > 0) onChanged(changed, user);
  }

  /** As far as it goes: a set-up must not fail by what can be chosen later. */
  async tryChange({ name, timeZone }: IdentityWish, user: string): Promise<void> {
    for (const wish of [{ name }, { timeZone }]) {
      await this.change(wish, user).catch((error: unknown) => this.#ports.log.warn({ err: error, ...wish }, 'left as it was'));
    }
  }

  #rename(name: string): void {
    const { data, environment } = this.#ports;
    renameEdge(data, environment, name);
    this.#name = name;
  }
}
