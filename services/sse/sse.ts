import { defineService } from '@ledge/kit';
import { Gauge } from 'prom-client';
import { settingsSchema } from './config.ts';
import { Hub } from './hub.ts';
import { serveSse } from './routes.ts';

const hex = (random: () => number) =>
  Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');

/** The bus for browsers: server-sent events out, `POST /publish` in. */
export const sse = defineService({
  name: 'sse',
  version: '0.1.0',
  summary: 'The message bus for browsers, as server-sent events',
  settings: settingsSchema,
  start({ api, bus, clock, edge, log, metrics, random, settings }) {
    const hub = new Hub({ bus, clock, log, instance: hex(random), settings });
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers: [metrics],
        collect() {
          this.set(read());
        },
      });
    gauge('ledge_sse_readers', 'Streams open now', () => hub.readers);
    gauge('ledge_sse_messages_total', 'Messages that came from the bus', () => hub.counters.messages);
    gauge('ledge_sse_dropped_total', 'Messages dropped for slow readers', () => hub.counters.dropped);
    gauge('ledge_sse_stuck_total', 'Readers closed because they took nothing', () => hub.counters.stuck);
    gauge('ledge_sse_replay_bytes', 'Memory held for Last-Event-ID', () => hub.replayBytes);
    gauge('ledge_sse_queued_bytes', 'Bytes waiting for slow readers, each counted', () => hub.queuedBytes);
    serveSse(api, { hub, bus, edge: edge.id });
    hub.start();
    return {
      apply: (next) => hub.configure(next),
      stop: () => hub.stop(),
      actions: {
        'disconnect-readers': {
          title: 'Disconnect all readers',
          confirm: 'Open pages come back by themselves within seconds; programs may not. Disconnect all?',
          run: () => `${hub.dismiss()} readers were disconnected`,
        },
      },
    };
  },
});
