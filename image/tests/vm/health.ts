import { z } from 'zod';

const healthSchema = z.object({
  state: z.string(),
  version: z.string(),
  edge: z.string(),
  name: z.string().optional(),
  setupNeeded: z.boolean(),
  services: z.record(z.string(), z.string()),
});
export type Health = z.infer<typeof healthSchema>;

/** Services of which a box has told nothing yet are not ready. */
const SERVICES = ['broker', 'device', 'sse', 'media', 'server'];
export const isReady = ({ state, services }: Health): boolean => state === 'ready' && SERVICES.every((name) => services[name] === 'ready');

const PATIENCE_MS = 3000;

/** What a box says of its health; undefined while nothing sensible answers. */
export async function health(url: string): Promise<Health | undefined> {
  try {
    const response = await fetch(`${url}/api/server/health`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return healthSchema.parse(await response.json());
  } catch {
    return undefined;
  }
}
