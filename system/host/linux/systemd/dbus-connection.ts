import type { EventEmitter } from 'node:events';
import type * as DBus from '@jellybrick/dbus-next';

const CONNECT_WITHIN_MS = 5_000;

/** A call of a method. `signature` and `body` as D-Bus types: a variant is a {@link BusVariant}. */
export interface BusCall {
  destination: string;
  path: string;
  interface: string;
  member: string;
  signature?: string;
  body?: readonly unknown[];
}

/** `sender` is the unique name of a connection, such as `:1.42`. */
export interface BusSignal {
  sender: string;
  path: string;
  interface: string;
  member: string;
  body: readonly unknown[];
}

/** A value whose type goes with it, for calls. In answers and signals the bare value stands in its place. */
export class BusVariant {
  readonly signature: string;
  readonly value: unknown;

  constructor(signature: string, value: unknown) {
    this.signature = signature;
    this.value = value;
  }
}

/** What the other side answered instead of a result; `busName` such as `org.freedesktop.DBus.Error.AccessDenied`. */
export class BusError extends Error {
  readonly busName: string;

  constructor(busName: string, message: string) {
    super(message);
    this.name = 'BusError';
    this.busName = busName;
  }
}

/**
 * One connection to a message bus: the seam below which the real bus or a test's own is.
 * Values are plain: numbers (64-bit ones too; the largest of all, which means "no limit", is Infinity), strings, arrays, objects.
 */
export interface BusConnection {
  /** @throws BusError, or any other error when the connection breaks before the answer */
  call(call: BusCall): Promise<unknown[]>;
  onSignal(listener: (signal: BusSignal) => void): void;
  /** Resolves with the reason when the connection is no more. */
  readonly closed: Promise<string>;
  close(): void;
}

/**
 * Connects with `@jellybrick/dbus-next`, which is loaded here and not before.
 * @param address as in the D-Bus specification, "Server Addresses": `unix:path=/run/dbus/system_bus_socket`
 * @throws when nobody answers there
 */
export async function openDbus(address: string): Promise<BusConnection> {
  const dbus = await import('@jellybrick/dbus-next');
  const bus = dbus.sessionBus({ busAddress: address, authMethods: ['EXTERNAL'] }); // systemBus() takes no address
  const closed = Promise.withResolvers<string>();
  const pending = new Set<(error: Error) => void>();
  const end = (why: string) => {
    closed.resolve(why);
    for (const reject of pending) reject(new Error(why));
    pending.clear();
    bus.disconnect();
  };
  // the library's types know neither, and it tells of the end of the stream only below
  (bus as EventEmitter).on('error', (error: Error) => end(error.message));
  (bus as unknown as { _connection: EventEmitter })._connection.once('end', () => end('the bus closed the connection'));

  const timer = setTimeout(() => end(`no answer within ${CONNECT_WITHIN_MS} ms`), CONNECT_WITHIN_MS);
  const refused = closed.promise.then((why) => {
    throw new Error(why);
  });
  try {
    await Promise.race([new Promise<void>((resolve) => bus.once('connect', resolve)), refused]);
  } finally {
    clearTimeout(timer);
    refused.catch(() => {});
  }

  return {
    async call({ destination, path, interface: name, member, signature = '', body = [] }) {
      const asked = body.map((value) => toLibrary(dbus, value));
      const message = new dbus.Message({ destination, path, interface: name, member, signature, body: asked });
      const broken = Promise.withResolvers<never>();
      pending.add(broken.reject);
      try {
        const answer = await Promise.race([bus.call(message), broken.promise]);
        return (answer?.body ?? []).map((value) => fromLibrary(dbus, value));
      } catch (error) {
        throw error instanceof dbus.DBusError ? new BusError(error.type, error.text) : error;
      } finally {
        pending.delete(broken.reject);
      }
    },
    onSignal(listener) {
      bus.on('message', (message) => {
        if (message.type !== dbus.MessageType.SIGNAL) return;
        const { sender, path, interface: name, member, body } = message;
        listener({ sender, path, interface: name, member, body: body.map((value) => fromLibrary(dbus, value)) });
      });
    },
    closed: closed.promise,
    close: () => end('closed here'),
  };
}

function toLibrary(dbus: typeof DBus, value: unknown): unknown {
  if (value instanceof BusVariant) return new dbus.Variant(value.signature, toLibrary(dbus, value.value));
  return mapInside(value, (inner) => toLibrary(dbus, inner));
}

const NO_LIMIT = 2n ** 64n - 1n;

function fromLibrary(dbus: typeof DBus, value: unknown): unknown {
  if (value instanceof dbus.Variant) return fromLibrary(dbus, value.value);
  if (typeof value === 'bigint') return value === NO_LIMIT ? Number.POSITIVE_INFINITY : Number(value);
  return mapInside(value, (inner) => fromLibrary(dbus, inner));
}

function mapInside(value: unknown, change: (inner: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]));
}
