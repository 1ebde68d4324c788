import type { MediaState } from '@ledge/contract';
import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Loader } from '../../client/load.ts';
import { useBox } from '../../components/box.ts';
import { useLoad, useReloadOn } from '../../components/load.ts';
import { notifyProblem } from '../../components/notices.ts';

const THING = 'media';
const CHANGES_WITHIN_MS = 150;
const TICK_MS = 500;

/** The player as it is, and a way to do something with it. */
export interface Player {
  readonly loader: Loader<MediaState>;
  /** Does something whose answer is the state after it. True when it was done. */
  readonly act: (ask: () => Promise<MediaState>) => Promise<boolean>;
  /** Shows something that was asked for before the box has answered. */
  readonly foresee: (some: Partial<MediaState>) => void;
}

/** The player's state, asked for again whenever its thing on the bus says that it has changed. */
export function usePlayer(): Player {
  const { api, live } = useBox();
  const loader = useLoad((signal) => api.media.state({ signal }));
  useReloadOn(loader, ['track-started', 'player-failed']);
  const first = useRef(true);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useSignalEffect(() => {
    const thing = live.things.list.value.find(({ id }) => id === THING);
    for (const { payload } of thing?.properties.value ?? []) payload.value;
    if (first.current) {
      first.current = false;
      return;
    }
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void loader.load(), CHANGES_WITHIN_MS);
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  return useMemo(
    () => ({
      loader,
      foresee(some) {
        const now = loader.content.peek();
        if (now) loader.content.value = { ...now, ...some };
      },
      async act(ask) {
        try {
          await loader.change(ask);
          return true;
        } catch (error) {
          notifyProblem(error);
          void loader.load();
          return false;
        }
      },
    }),
    [loader],
  );
}

/** Where a track is now: counted on here between two answers of the box. */
export function usePosition(loader: Loader<MediaState>): ReadonlySignal<number> {
  const nowMs = useSignal(performance.now());
  const answered = useComputed(() => ({ state: loader.content.value, atMs: performance.now() }));
  useEffect(() => {
    const timer = setInterval(() => {
      nowMs.value = performance.now();
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [nowMs]);
  return useComputed(() => {
    const { state, atMs } = answered.value;
    const aheadS = state?.state === 'playing' ? Math.max(0, (nowMs.value - atMs) / 1000) : 0;
    return Math.min((state?.positionS ?? 0) + aheadS, state?.durationS ?? Number.POSITIVE_INFINITY);
  });
}

/** `3:05`, or `1:02:03`. */
export function timeText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number: number) => String(number).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
