import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from '@ledge/testing';

/** Connects to a Unix socket that another process is about to make; `gone` ends the wait with the reason. */
export async function connectTo(path: string, gone: () => Error | undefined, withinMs = 10_000): Promise<Socket> {
  const answer = await until(
    `the socket ${path}`,
    async () => {
      const reason = gone();
      if (reason) return reason;
      const socket = connect(path);
      await once(socket, 'connect');
      return socket;
    },
    withinMs,
  );
  if (answer instanceof Error) throw answer;
  return answer;
}
