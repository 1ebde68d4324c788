import { deviceApi, type Operation, serverApi, sseApi } from '@ledge/contract';

/** All that the box's own display may ask for. Whoever stands before it can use it, and signing in there is one thing to use it for. */
const MAY: Readonly<Record<string, readonly Operation[]>> = {
  server: [
    serverApi.health,
    serverApi.session,
    serverApi.login,
    serverApi.logout,
    serverApi.kioskPass,
    serverApi.services,
    serverApi.history,
    serverApi.kiosk,
    serverApi.kioskHeartbeat,
  ],
  device: [deviceApi.things, deviceApi.thing],
  sse: [sseApi.stream],
};

/** @param rest path and query as the service sees them */
export function displayMay(method: string | undefined, service: string, rest: string): boolean {
  const [path = ''] = rest.split('?', 1);
  return (MAY[service] ?? []).some((operation) => operation.method === method?.toLowerCase() && pathPattern(operation.path).test(path));
}

const pathPattern = (path: string) => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}/?$`);
