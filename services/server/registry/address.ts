import { Problem } from '@ledge/contract';
import { type Asked, CALLER_HEADERS, type Clock, getText, type Target } from '@ledge/kit';

/**
 * What proves to a service on a TCP port that the gateway speaks. Sockets are guarded by the rights of their file; who serves one
 * needs no secret that would open the ports of others.
 */
export const proofFor = (target: Target, secret: string): Record<string, string> =>
  'socketPath' in target ? {} : { [CALLER_HEADERS.secret]: secret };

/** {@link getText}. @throws Problem `service-away` */
export const ask = (clock: Clock, asked: Asked): Promise<string> =>
  getText(clock, asked).catch(({ message, cause }: Error) => {
    throw new Problem('service-away', message, { cause });
  });
