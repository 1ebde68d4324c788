import { Unseen } from '@ledge/doctor/ports.ts';
import type { HttpTarget, World } from './world.ts';

/** What the server says of itself; a port and host where it tells them. */
export interface ServerSays {
  edge: string | undefined;
  name: string | undefined;
  version: string | undefined;
  setupNeeded: boolean;
  port: number | undefined;
  host: string | undefined;
  /** Health of each service by its name. */
  health: Readonly<Record<string, string>>;
}

/** Who asks, for the server's own socket: only those who may open it get there. */
const AS_VIEWER = { 'x-ledge-user': 'console', 'x-ledge-role': 'viewer' };
/** The card's port, and everybody else's. */
const USUAL_PORTS = [80, 8080];

/** Asks the server over its socket, or, for whoever may not open that, over its public port. Undefined when it does not answer. */
export async function askServer(world: World): Promise<ServerSays | undefined> {
  const id = await boxId(world);
  const socket = { socketPath: world.data.socketPath('server') };
  const health = await healthAt(world, socket);
  if (health) {
    const settings = await world.http(socket, '/settings', AS_VIEWER).catch(() => undefined);
    const { port, host } = ((settings?.body as { values?: Record<string, unknown> } | undefined)?.values ?? {}) as Record<string, unknown>;
    return { ...health, port: typeof port === 'number' ? port : undefined, host: typeof host === 'string' ? host : undefined };
  }
  const given = Number(world.environment.EDGE_HTTP_PORT ?? Number.NaN);
  for (const port of Number.isInteger(given) ? [given] : USUAL_PORTS) {
    const answer = await healthAt(world, { port });
    // another box's server may be reached by a port that is forwarded
    if (answer && (id === undefined || answer.edge === id)) return { ...answer, port, host: undefined };
  }
  return undefined;
}

/** Undefined before the first start, or where it may not be read. */
export async function boxId({ environment, data, ports }: Pick<World, 'environment' | 'data' | 'ports'>): Promise<string | undefined> {
  if (environment.EDGE_ID) return environment.EDGE_ID;
  try {
    return (await ports.files.read(`${data.root}/edge-id`))?.trim() || undefined;
  } catch (error) {
    if (error instanceof Unseen) return undefined;
    throw error;
  }
}

async function healthAt(world: World, target: HttpTarget): Promise<Omit<ServerSays, 'port' | 'host'> | undefined> {
  const path = 'port' in target ? '/api/server/health' : '/health';
  const answer = await world.http(target, path).catch(() => undefined);
  if (answer?.status !== 200 || typeof answer.body !== 'object' || answer.body === null) return undefined;
  const { edge, name, version, setupNeeded, services } = answer.body as Record<string, unknown>;
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return {
    edge: text(edge),
    name: text(name),
    version: text(version),
    setupNeeded: setupNeeded === true,
    health: (services ?? {}) as Record<string, string>,
  };
}

/** Where a browser on the same network finds the page, the best address first. */
export function pages(
  world: Pick<World, 'ports' | 'hostname'>,
  { port, host }: Pick<ServerSays, 'port' | 'host'>,
  onImage: boolean,
): string[] {
  const url = (name: string) => `http://${name.includes(':') ? `[${name}]` : name}${port === undefined || port === 80 ? '' : `:${port}`}/`;
  if (host !== undefined && !['0.0.0.0', '::', '*'].includes(host))
    return [url(host === '127.0.0.1' || host === '::1' ? 'localhost' : host)];
  let addresses: string[] = [];
  try {
    addresses = world.ports
      .addresses()
      .filter(({ internal, address }) => !internal && !/^fe80:/i.test(address))
      .map(({ address }) => address)
      .sort((a, b) => Number(a.includes(':')) - Number(b.includes(':')));
  } catch {
    // the system does not tell
  }
  if (addresses.length === 0) return onImage ? [] : [url('localhost')];
  return [...(onImage ? [url(`${world.hostname.split('.', 1)[0]}.local`)] : []), ...addresses.map(url)];
}
