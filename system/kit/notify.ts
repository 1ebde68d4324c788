import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Environment } from './paths.ts';

/** Tells whoever supervises this process how it fares. */
export interface Notifier {
  ready(): void;
  status(text: string): void;
  stopping(): void;
  watchdog(): void;
  /** Feed at least this often; undefined when nobody watches. */
  readonly watchdogMs: number | undefined;
}

/** Messages from a service to our supervisor over Node's IPC channel. */
export type SupervisorMessage =
  | { type: 'ready' }
  | { type: 'stopping' }
  | { type: 'status'; text: string }
  | { type: 'watchdog'; rssBytes: number };

/** And from the supervisor to a service; `forGood` when it has no place on this box any more. */
export interface StopMessage {
  type: 'stop';
  forGood?: true;
}

const SUPERVISOR_WATCHDOG_MS = 5000;

/** systemd's protocol (sd_notify(3)), our supervisor's, or nobody. */
export function createNotifier(
  environment: Environment,
  send: ((message: SupervisorMessage) => void) | undefined,
  addon: () => SdNotify | undefined = loadAddon,
): Notifier {
  if (environment.NOTIFY_SOCKET) return systemdNotifier(environment, addon());
  if (send) {
    return {
      ready: () => send({ type: 'ready' }),
      status: (text) => send({ type: 'status', text }),
      stopping: () => send({ type: 'stopping' }),
      watchdog: () => send({ type: 'watchdog', rssBytes: process.memoryUsage.rss() }),
      watchdogMs: SUPERVISOR_WATCHDOG_MS,
    };
  }
  return { ready() {}, status() {}, stopping() {}, watchdog() {}, watchdogMs: undefined };
}

/** What of the addon's API is used; where it is native it takes numbers unchecked. */
export interface SdNotify {
  ready(): void;
  stopping(pid: number): void;
  sendStatus(text: string): void;
  watchdog(): void;
}

/** The addon `sd-notify` where the image has it (the message then comes from our own pid), else systemd's own tool. */
function systemdNotifier(environment: Environment, addon: SdNotify | undefined): Notifier {
  const tell = (...args: string[]) => spawn('systemd-notify', ['--no-block', ...args], { stdio: 'ignore' }).once('error', () => {});
  const watchdogUs = Number(environment.WATCHDOG_USEC ?? 0);
  return {
    ready: () => (addon ? addon.ready() : tell('--ready')),
    status: (text) => (addon ? addon.sendStatus(oneLine(text)) : tell(`--status=${oneLine(text)}`)),
    stopping: () => (addon ? addon.stopping(process.pid) : tell('STOPPING=1')),
    watchdog: () => (addon ? addon.watchdog() : tell('WATCHDOG=1')),
    watchdogMs: watchdogUs > 0 ? watchdogUs / 3000 : undefined, // sd_watchdog_enabled(3) says half; with a third, one check that fails kills nobody
  };
}

/** A second line would be a message of its own, such as READY=1. */
const oneLine = (text: string) => text.replace(/[\x00-\x1f\x7f]+/g, ' ');

function loadAddon(): SdNotify | undefined {
  try {
    return createRequire(import.meta.url)('sd-notify') as SdNotify;
  } catch {
    return undefined;
  }
}
