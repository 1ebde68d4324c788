import { Problem } from '@ledge/contract';
import { BusError } from '@ledge/host/linux/systemd/dbus-connection.ts';
import type { SystemBus } from '@ledge/host/linux/systemd/system-bus.ts';
import type { HostSettings } from '../ports.ts';

/** Never asks anybody: there is nobody at the box. */
const INTERACTIVE = false;
/** The bus starts them, and the one who says who may; on a slow board in its first minute that takes a while. */
const ANSWER_WITHIN_MS = 30_000;

/** systemd-hostnamed and systemd-timedated, which the bus starts when they are called. */
export class SystemdHostSettings implements HostSettings {
  readonly #bus: SystemBus;

  constructor(bus: SystemBus) {
    this.#bus = bus;
  }

  async setHostname(label: string): Promise<void> {
    await this.#set('hostname1', 'SetStaticHostname', label);
  }

  async setPrettyName(name: string): Promise<void> {
    await this.#set('hostname1', 'SetPrettyHostname', name);
  }

  async setTimezone(zone: string): Promise<void> {
    await this.#set('timedate1', 'SetTimezone', zone);
  }

  async #set(service: 'hostname1' | 'timedate1', member: string, value: string): Promise<void> {
    const name = `org.freedesktop.${service}`;
    const call = {
      destination: name,
      path: `/org/freedesktop/${service}`,
      interface: name,
      member,
      signature: 'sb',
      body: [value, INTERACTIVE],
    };
    try {
      await this.#bus.call(call, ANSWER_WITHIN_MS);
    } catch (error) {
      throw error instanceof BusError
        ? new Problem('not-allowed', `${name}: ${error.message} (${error.busName})`, { cause: error })
        : error;
    }
  }
}
