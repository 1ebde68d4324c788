import { Counter, defineService, operation, z } from '@ledge/sdk';
import { type Decision, decide, settings } from './rule.ts';

const SOIL = 'soil/main/moisture';
const RAIN = 'rain/main/intensity';
const VALVE = 'valve/main/open';
const BEAT_MS = 1000;

const status = operation({
  method: 'get',
  path: '/status',
  summary: 'Whether it waters, and why',
  for: 'viewer',
  response: z.object({
    value: z.enum(['watering', 'resting']).meta({ description: 'what the tile shows' }),
    why: z.string(),
    moisturePercent: z.number().optional(),
    rainMmPerHour: z.number().optional(),
  }),
});

export default defineService({
  name: 'irrigation',
  version: '1.0.0',
  summary: 'Waters when the soil is dry and it does not rain',
  settings,
  tiles: [{ title: 'Irrigation', path: '/status' }],

  start(context) {
    const { things, api, clock, log, metrics } = context;
    const watered = new Counter({ name: 'irrigation_watering_seconds_total', help: 'Time with an open valve', registers: [metrics] });
    let moisturePercent: number | undefined;
    let rainMmPerHour: number | undefined;
    let isOpen = false;
    let movedMs: number | undefined;
    let askedUntilMs = 0;
    let decision: Decision = { open: false, why: 'it has just started' };
    let fault: string | undefined;
    let moving: Promise<void> | undefined;

    async function move(): Promise<void> {
      const nowMs = clock.monotonic();
      decision = decide({ nowMs, moisturePercent, rainMmPerHour, isOpen, movedMs, askedUntilMs }, context.settings);
      if (decision.open === isOpen) return;
      isOpen = (await things.command(VALVE, decision.open)) === true;
      movedMs = clock.monotonic();
      log.info({ isOpen, why: decision.why }, 'valve moved');
    }
    /** One move at a time; who comes meanwhile gets the end of that one. */
    const settle = () => {
      moving ??= move().finally(() => {
        moving = undefined;
      });
      return moving;
    };
    const beat = () =>
      settle().then(
        () => {
          fault = undefined;
        },
        (error: Error) => {
          if (fault !== error.message) log.warn({ err: error }, 'the valve was not moved');
          fault = error.message;
        },
      );

    things.watch(SOIL, (value) => {
      moisturePercent = Number(value);
      return beat();
    });
    things.watchState('soil', (state) => {
      if (state !== 'ready') moisturePercent = undefined;
      return beat();
    });
    things.watch(RAIN, (value) => {
      rainMmPerHour = Number(value);
      return beat();
    });
    things.watch(VALVE, (value) => {
      isOpen = value === true;
    });
    const stopBeat = clock.every(BEAT_MS, () => {
      if (isOpen) watered.inc(BEAT_MS / 1000);
      void beat();
    });

    api.handle(status, () => ({
      value: isOpen ? ('watering' as const) : ('resting' as const),
      why: fault ?? decision.why,
      ...(moisturePercent === undefined ? {} : { moisturePercent }),
      ...(rainMmPerHour === undefined ? {} : { rainMmPerHour }),
    }));

    return {
      actions: {
        'water-now': {
          title: 'Water now',
          confirm: 'Open the valve now, whatever the soil and the sky say?',
          input: z.object({ minutes: z.number().min(0.1).max(60).default(5).meta({ title: 'For', unit: 'min' }) }),
          async run(_context, { minutes }: { minutes: number }) {
            await moving?.catch(() => {});
            askedUntilMs = clock.monotonic() + minutes * 60_000;
            try {
              await settle();
            } catch (error) {
              askedUntilMs = 0;
              throw error;
            }
            return { minutes };
          },
        },
      },
      apply: () => beat(),
      async stop() {
        stopBeat();
        if (isOpen) await things.command(VALVE, false, { withinMs: 2000 }).catch(() => {});
      },
    };
  },
});
