import { Gauge, type Registry } from 'prom-client';
import type { DeviceCore } from './core.ts';

/** Figures of the device service for Prometheus. */
export function registerMetrics(registry: Registry, core: DeviceCore): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('ledge_readings_total', 'Readings taken for the history stream', () => core.readings?.counts.taken ?? 0);
  gauge('ledge_readings_acknowledged_total', 'Readings that the broker acknowledged', () => core.readings?.counts.acknowledged ?? 0);
  gauge('ledge_readings_replayed_total', 'Readings that were said late, from the outbox', () => core.readings?.counts.replayed ?? 0);
  gauge(
    'ledge_readings_dropped_total',
    'Readings that were given up, because the outbox was full',
    () => core.readings?.counts.dropped ?? 0,
  );
  gauge('ledge_outbox_readings', 'Readings that wait on disk', () => core.readings?.stored ?? 0);
  gauge('ledge_outbox_failed', '1 while the outbox cannot be written', () => (core.readings?.storageFault === undefined ? 0 : 1));
  gauge('ledge_sensor_faults', 'Things and properties that cannot be read now', () => core.faults);
  gauge('ledge_things', 'Things', () => core.views().length);
  new Gauge({
    name: 'ledge_commands_total',
    help: 'Commands by how they ended',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      for (const [outcome, count] of Object.entries(core.counts)) this.set({ outcome }, count);
    },
  });
}
