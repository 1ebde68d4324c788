import { createServer } from 'node:net';
import { linuxPortOwner } from './linux/port-owner.ts';

/** Is this port free to listen on? */
export async function isPortFree(port: number, host: string): Promise<boolean> {
  const probe = createServer();
  return await new Promise((resolve) => {
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Who listens on a port, in words such as `nginx (process 812)`; undefined where the system does not tell. */
export async function portOwner(port: number, platform = process.platform): Promise<string | undefined> {
  return platform === 'linux' ? await linuxPortOwner(port) : undefined;
}
