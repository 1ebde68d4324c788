import { until } from '@ledge/testing';
import { type Appliance, allWell, SERVICES } from './appliance.ts';
import { MosquittoSub } from './mosquitto-client.ts';
import { SseReader } from './sse-reader.ts';

/** The MQTT user that {@link everythingRight} looks with. */
export const WATCHER = { name: 'watcher', password: 'watching-you' };
/** The thing that it looks at. */
export const CLOCK_THING = {
  'clock.yaml':
    'driver: simulated\nsample: { every: 100ms }\nproperties:\n  tick: { datatype: integer, source: { wave: counter } }\n  lamp: { datatype: boolean, settable: true }\n',
};

/** State, registry, retained values, live stream and commands: all as they should be. Wants {@link CLOCK_THING} and {@link WATCHER}. */
export async function everythingRight(ledge: Appliance): Promise<boolean> {
  if (!(await allWell(ledge))) return false;
  const sub = new MosquittoSub(ledge, `${ledge.edge}/#`, WATCHER);
  const stream = new SseReader(ledge, [`${ledge.edge}/5/clock/#`]);
  try {
    await until(
      'retained values and live ones',
      () => {
        const states = SERVICES.map((name) => sub.payloads(`${ledge.edge}/service/${name}`).at(-1));
        return (
          states.every((text) => text && (JSON.parse(text) as { state: string }).state === 'ready') &&
          sub.payloads(`${ledge.edge}/5/clock/$state`).at(-1) === 'ready' &&
          sub.payloads(`${ledge.edge}/5/clock/$description`).length > 0 &&
          sub.payloads(`${ledge.edge}/5/clock/main/tick`).length > 1 &&
          new Set(stream.messages.filter((m) => m.topic.endsWith('/tick')).map((m) => m.payload)).size > 1
        );
      },
      2000 * ledge.slowness,
    );
    const command = await ledge.api<{ outcome?: string }>('PUT', '/api/device/things/clock/main/lamp', { value: true });
    return command.body.outcome === 'acknowledged';
  } finally {
    stream.stop();
    await sub.stop();
  }
}
