import { hostname } from 'node:os';
import { Problem } from '@ledge/contract';
import type { ListenAddress } from './http.ts';
import { type DataDir, type Environment, ensureSecret } from './paths.ts';

/** Where a service listens: its socket, or the port that `EDGE_LISTEN` says. @throws Problem `config-invalid` */
export function listenAddress(name: string, data: DataDir, environment: Environment): ListenAddress {
  const listen = environment.EDGE_LISTEN;
  if (!listen) return { kind: 'socket', path: data.socketPath(name) };
  const [, host, port] = /^(.*):(\d+)$/.exec(listen) ?? [];
  if (!host || !port) throw new Problem('config-invalid', `EDGE_LISTEN is ${listen}; host:port is wanted, such as 0.0.0.0:8000`);
  const secret = environment.EDGE_GATEWAY_SECRET ?? ensureSecret(data.gatewaySecretFile);
  return { kind: 'tcp', host, port: Number(port), secret, advertise: environment.EDGE_ADVERTISE ?? `${hostname()}:${port}` };
}

/** The `address` of a registry record: `unix:/path`, `pipe:\\.\pipe\name` or `http://host:port`. */
export const addressText = (address: ListenAddress) => {
  if (address.kind === 'tcp') return `http://${address.advertise}`;
  return address.path.startsWith('\\\\') ? `pipe:${address.path}` : `unix:${address.path}`;
};

/** Where a service is reached, as node:http and httpxy take it. */
export type Target = { socketPath: string; host: 'localhost' } | { hostname: string; host: string; port: number; protocol: 'http:' };

/** Reads the `address` of a registry record. @returns undefined for one that is none of the three kinds */
export function parseAddress(address: string): Target | undefined {
  const socketPath = /^(?:unix|pipe):(.+)$/.exec(address)?.[1];
  if (socketPath) return { socketPath, host: 'localhost' };
  const [, bracketed, plain, port] = /^http:\/\/(?:\[([0-9a-fA-F:]+)\]|([\w.-]+)):(\d{1,5})\/?$/.exec(address) ?? [];
  const hostname = bracketed ?? plain;
  return hostname === undefined || Number(port) > 65_535 ? undefined : { hostname, host: hostname, port: Number(port), protocol: 'http:' };
}
