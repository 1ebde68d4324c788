import { Message, MessageType, sessionBus, Variant } from '@jellybrick/dbus-next';

export type FakeSettings = Record<string, Record<string, unknown>>;

/** NetworkManager, systemd-hostnamed and systemd-timedated as far as the import speaks with them, on a real bus. */
export class FakeMachineBus {
  /** Profiles by object path, as NetworkManager keeps them. */
  readonly profiles = new Map<string, FakeSettings>();
  readonly calls: string[] = [];
  readonly values: Record<string, unknown> = {};
  /** Method names that are refused. */
  readonly refused = new Set<string>();
  readonly #bus;
  #next = 1;

  constructor(address: string) {
    this.#bus = sessionBus({ busAddress: address, authMethods: ['EXTERNAL'] });
    this.#bus.on('error' as 'connect', () => {}); // the bus is ended under it
    this.#bus.addMethodHandler((message) => {
      if (message.type !== MessageType.METHOD_CALL || message.interface === 'org.freedesktop.DBus.Peer') return false;
      this.#bus.send(this.#answer(message));
      return true;
    });
  }

  async join(...names: string[]): Promise<void> {
    await new Promise<void>((resolve) => this.#bus.once('connect', resolve));
    for (const name of names) await this.#bus.requestName(name);
  }

  async take(name: string): Promise<void> {
    await this.#bus.requestName(name);
  }

  leave(): void {
    this.#bus.disconnect();
  }

  #answer(message: Message): Message {
    const { member, path, body } = message;
    this.calls.push(member);
    const reply = (signature = '', ...values: unknown[]) => Message.newMethodReturn(message, signature, values);
    const fail = (name: string, text: string) => Message.newError(message, name, text);
    if (this.refused.has(member)) return fail('org.freedesktop.DBus.Error.AccessDenied', 'Not authorized');
    const profile = this.profiles.get(path);
    switch (member) {
      case 'GetConnectionByUuid': {
        const found = [...this.profiles].find(([, { connection }]) => connection?.uuid === body[0]);
        return found
          ? reply('o', found[0])
          : fail('org.freedesktop.NetworkManager.Settings.InvalidConnection', 'No connection with that UUID');
      }
      case 'ListConnections':
        return reply('ao', [...this.profiles.keys()]);
      case 'GetSettings':
        return reply('a{sa{sv}}', variants(withoutSecrets(profile ?? {})));
      case 'AddConnection2': {
        const settings = plain(body[0]);
        const fault = faultOf(settings);
        if (fault) return fail('org.freedesktop.NetworkManager.Settings.Connection.InvalidProperty', fault);
        const added = `/org/freedesktop/NetworkManager/Settings/${this.#next++}`;
        this.profiles.set(added, settings);
        return reply('oa{sv}', added, {});
      }
      case 'Update2': {
        const settings = plain(body[0]);
        const security = settings['802-11-wireless-security'];
        const old = profile?.['802-11-wireless-security'];
        // as NetworkManager: who gives no secret keeps the one that is there
        if (security && old && !('psk' in security)) security.psk = old.psk;
        this.profiles.set(path, settings);
        return reply('a{sv}', {});
      }
      case 'Delete':
        this.profiles.delete(path);
        return reply();
      case 'SetStaticHostname':
      case 'SetPrettyHostname':
      case 'SetTimezone':
        this.values[member] = body[0];
        return reply();
      default:
        return fail('org.freedesktop.DBus.Error.UnknownMethod', member);
    }
  }
}

function faultOf({ '802-11-wireless-security': security }: FakeSettings): string | undefined {
  const psk = security?.psk;
  return typeof psk === 'string' && psk.length > 64 ? '802-11-wireless-security.psk: property is invalid' : undefined;
}

function withoutSecrets(settings: FakeSettings): FakeSettings {
  const { psk: _, ...security } = settings['802-11-wireless-security'] ?? {};
  return settings['802-11-wireless-security'] ? { ...settings, '802-11-wireless-security': security } : settings;
}

function plain(value: unknown): FakeSettings {
  return bare(value) as FakeSettings;
}
function bare(value: unknown): unknown {
  if (value instanceof Variant) return bare(value.value);
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, bare(inner)]));
}

const SIGNATURES: Record<string, string> = { string: 's', boolean: 'b', number: 'i' };
function variants(settings: FakeSettings): Record<string, Record<string, Variant>> {
  const one = (value: unknown) =>
    value instanceof Uint8Array
      ? new Variant('ay', value)
      : SIGNATURES[typeof value]
        ? new Variant(SIGNATURES[typeof value] ?? 's', value)
        : undefined;
  return Object.fromEntries(
    Object.entries(settings).map(([name, keys]) => [
      name,
      Object.fromEntries(Object.entries(keys).flatMap(([key, value]) => (one(value) ? [[key, one(value) as Variant]] : []))),
    ]),
  );
}
