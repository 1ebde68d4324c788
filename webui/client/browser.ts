import type { LivePorts } from './live.ts';
import { SharedStream } from './shared-stream.ts';
import { Stream, type StreamPorts } from './stream.ts';

const HIDDEN_FRAME_MS = 500;
const TICK_MS = 1000;

const connect = () => new SharedWorker(new URL('./stream-worker.ts', import.meta.url), { type: 'module', name: 'ledge-stream' }).port;

/** What the client needs of a real browser. */
export const browserPorts: Omit<LivePorts, 'onSessionEnd'> & StreamPorts & { now: () => number } = {
  fetch: (input, init) => fetch(input, init),
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
  onFrame(task) {
    // a hidden page draws no frames, but must not grow a queue either
    if (document.hidden) return browserPorts.after(HIDDEN_FRAME_MS, task);
    const frame = requestAnimationFrame(task);
    const timer = setTimeout(task, HIDDEN_FRAME_MS);
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  },
  openStream(filters, listener) {
    return typeof SharedWorker === 'undefined' ? openOwnStream(filters, listener) : new SharedStream(filters, connect, listener);
  },
  onOnline(listener) {
    addEventListener('online', listener);
    return () => removeEventListener('online', listener);
  },
};

/** A stream that no other tab has a part in. */
export const openOwnStream: LivePorts['openStream'] = (filters, listener) => new Stream(filters, browserPorts, listener);

/** Calls `tick` once a second while the page is seen, and at once when it is seen again; stops with the returned function. */
export function startTicking(tick: () => void): () => void {
  const whenSeen = () => {
    if (!document.hidden) tick();
  };
  const timer = setInterval(whenSeen, TICK_MS);
  document.addEventListener('visibilitychange', whenSeen);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', whenSeen);
  };
}
