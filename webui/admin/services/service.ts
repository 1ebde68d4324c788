import { isOurService } from '@ledge/contract/our-services.ts';
import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { bytesText, spanText } from '../../client/format.ts';
import type { ServiceModel } from '../../client/services.ts';
import { useNow } from '../../components/age.ts';
import { type Box, useBox } from '../../components/box.ts';
import { confirmed } from '../../components/dialog.ts';
import { html } from '../../components/html.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { go } from '../../router.ts';
import { words } from '../../words/words.ts';

/** Memory and restarts are not on the stream. */
const REFRESH_EVERY_MS = 4000;

/** All services, fresh while somebody looks; `undefined` until the box has told them. */
export function useServices(): readonly ServiceModel[] | undefined {
  const { live } = useBox();
  useEffect(() => {
    live.refreshServices();
    const timer = setInterval(() => {
      if (!document.hidden) live.refreshServices();
    }, REFRESH_EVERY_MS);
    return () => clearInterval(timer);
  }, [live]);
  const list = live.services.list.value;
  return list.length > 0 || live.complete.value ? list : undefined;
}

export const isStopped = ({ state }: ServiceModel): boolean => state === 'stopped' || state === 'disconnected';
const stateOf = (service: ServiceModel) => (service.restarting ? 'restarting' : service.state);

/** Its state as a dot and a word. */
export function State({ service }: { service: ServiceModel }): VNode {
  const state = stateOf(service);
  const dot = state === 'restarting' ? 'init' : state;
  return html`<span class=${`service-state ${dot}`}><span class=${`dot ${dot}`}></span>${words('services').states[state]}</span>`;
}

/** How long it has been running, counting. */
export function Running({ service }: { service: ServiceModel }): VNode {
  const now = useNow();
  const startedMs = Date.parse(service.startedAt ?? '');
  const runs = service.state === 'ready' || service.state === 'degraded';
  const text = useComputed(() => (runs && startedMs ? spanText((now.value - startedMs) / 1000) : '–'));
  return html`<span>${text}</span>`;
}

export function memoryText({ memoryBytes, memoryLimitBytes }: ServiceModel): string {
  if (memoryBytes === undefined) return '–';
  return memoryLimitBytes === undefined
    ? bytesText(memoryBytes)
    : words('services').memoryOf(bytesText(memoryBytes), bytesText(memoryLimitBytes));
}

export async function restartService({ live }: Box, service: ServiceModel): Promise<void> {
  const t = words('services');
  const { name } = service;
  if (!(await confirmed({ title: t.ask.restart(name), text: t.ask.away[name] ?? t.ask.awayOther, action: t.restart }))) return;
  await live.restart(service).catch(notifyProblem);
}

export async function stopService({ api, live }: Box, { name }: ServiceModel): Promise<void> {
  const t = words('services');
  if (!(await confirmed({ title: t.ask.stop(name), text: t.ask.stopText, action: t.stop, danger: true }))) return;
  await api.server
    .stop({ params: { name } })
    .then(() => notify(t.stopped(name)))
    .catch(notifyProblem);
  live.refreshServices();
}

/** Of somebody's own, nobody starts it again, and it does not answer. */
export const canBeForgotten = ({ name, state, controllable }: ServiceModel): boolean =>
  state === 'lost' && !controllable && !isOurService(name);

export async function forgetService({ api, live }: Box, { name }: ServiceModel): Promise<void> {
  const t = words('services');
  if (!(await confirmed({ title: t.ask.forget(name), text: t.ask.forgetText, action: t.forget }))) return;
  await api.server
    .forgetService({ params: { name } })
    .then(() => {
      notify(t.forgotten(name));
      go('/admin/services');
    })
    .catch(notifyProblem);
  live.refreshServices();
}

export async function startService({ api, live }: Box, { name }: ServiceModel): Promise<void> {
  await api.server
    .start({ params: { name } })
    .then(() => notify(words('services').started(name)))
    .catch(notifyProblem);
  live.refreshServices();
}
