import type { ServerResponse } from 'node:http';
import type { Clock } from '@ledge/kit';
import { Counter, Histogram, type Registry } from 'prom-client';

/** nginx's word for a client that left before its answer. */
export const CLIENT_LEFT = 499;
export const EVENT_STREAM = 'text/event-stream';
const UNKNOWN = 'unknown';
const SECONDS = [0.005, 0.025, 0.1, 0.5, 2.5, 10];

export const statusOf = (response: ServerResponse) => (response.headersSent ? response.statusCode : CLIENT_LEFT);

/** A request that is being counted; the service is told when it is known. */
export interface Counted {
  service: string;
}

/** Requests that went through the gateway. Labels take few values, whatever strangers ask for. */
export class RequestMetrics {
  readonly #clock: Clock;
  readonly #requests: Counter<'service' | 'method' | 'code'>;
  readonly #duration: Histogram<'service'>;

  constructor(registry: Registry, clock: Clock) {
    this.#clock = clock;
    const registers = [registry];
    this.#requests = new Counter({
      name: 'http_requests_total',
      help: 'Requests to /api/<service>, by how they were answered',
      labelNames: ['service', 'method', 'code'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from a request to the end of its answer; event streams are left out',
      labelNames: ['service'],
      buckets: SECONDS,
      registers,
    });
  }

  /** Counts when the answer is over. @param method one of HTTP's own: Node reads no other */
  count(method: string, response: ServerResponse): Counted {
    const counted: Counted = { service: UNKNOWN };
    const startedMs = this.#clock.monotonic();
    response.once('close', () => {
      const { service } = counted;
      this.#requests.inc({ service, method, code: statusOf(response) });
      if (String(response.getHeader('content-type')).startsWith(EVENT_STREAM)) return;
      this.#duration.observe({ service }, (this.#clock.monotonic() - startedMs) / 1000);
    });
    return counted;
  }
}
