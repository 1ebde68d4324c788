import { deviceApi, payloadOf } from '@ledge/contract';
import type { Api, Clock } from '@ledge/kit';
import type { Driver, DriverEnvironment } from '@ledge/sdk';
import type { DeviceCore } from './core.ts';
import { driverView } from './driver-view.ts';
import { thingsJsonSchema } from './schema.ts';

/** The device service over HTTP. */
export function routes(
  api: Api,
  core: DeviceCore,
  { clock, drivers, environment }: { clock: Clock; drivers: ReadonlyMap<string, Driver>; environment: DriverEnvironment },
): void {
  api.handle(deviceApi.things, () => core.views());
  api.handle(deviceApi.thing, ({ params }) => core.view(params.thing));
  api.handle(deviceApi.files, () => core.files());
  api.handle(deviceApi.readFile, async ({ params }) => ({ yaml: await core.readFile(params.thing) }));
  api.handle(deviceApi.writeFile, ({ params, body }) => core.writeFile(params.thing, body.yaml));
  api.handle(deviceApi.test, async ({ params, body, signal }) => ({ readings: await core.tryOut(params.thing, body.yaml, signal) }));
  api.handle(deviceApi.enable, ({ params, body }) => core.enable(params.thing, body.enabled));
  api.handle(deviceApi.remove, ({ params }) => core.removeFile(params.thing));
  api.handle(deviceApi.command, async ({ params, body, caller }) => {
    const value = await core.command(params, payloadOf(body.value), caller.user);
    return { outcome: 'acknowledged' as const, value, time: new Date(clock.now()).toISOString() };
  });
  api.handle(deviceApi.drivers, () => Promise.all([...drivers.values()].map((driver) => driverView(driver, environment))));
  api.handle(deviceApi.schema, () => thingsJsonSchema(drivers));
}
