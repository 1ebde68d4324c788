import type { VNode } from 'preact';
import { useBox } from '../../components/box.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Empty, Ghosts } from '../../components/load.ts';
import { Meter } from '../../components/meter.ts';
import { words } from '../../words/words.ts';
import { ServiceActions } from './actions.ts';
import { Log } from './log.ts';
import {
  canBeForgotten,
  forgetService,
  isStopped,
  memoryText,
  Running,
  restartService,
  State,
  startService,
  stopService,
  useServices,
} from './service.ts';
import { ServiceSettings } from './settings.ts';

/** The gateway to this page: who stops it cannot start it from here. */
const FRONT_DOOR = 'server';

/** One service: its facts, what it can do, its log and its settings. */
export function ServiceDetail({ name }: { name: string }): VNode {
  const box = useBox();
  const t = words('services');
  const services = useServices();
  const service = services?.find((one) => one.name === name);
  const back = html`<a class="back" href="/admin/services"><${Icon} name="left" />${t.back}</a>`;
  if (services === undefined) return html`<div>${back}</div><${Ghosts} rows=${3} height="8rem" />`;
  if (!service) return html`<div>${back}</div><${Empty} icon="gear" title=${t.notFound(name)} />`;
  const { summary, detail, version, restarts = 0, pid, memoryBytes, memoryLimitBytes, controllable, instance } = service;
  return html`
    <div>
      ${back}
      <div class="page-head">
        <h1 class="service-title">${name}</h1>
        ${
          controllable &&
          html`
            <div class="buttons">
              ${
                isStopped(service)
                  ? html`<button type="button" class="primary" onClick=${() => void startService(box, service)}><${Icon} name="play" />${t.start}</button>`
                  : html`
                      ${name !== FRONT_DOOR && html`<button type="button" onClick=${() => void stopService(box, service)}><${Icon} name="stop" />${t.stop}</button>`}
                      <button type="button" disabled=${service.restarting} onClick=${() => void restartService(box, service)}><${Icon} name="restart" />${t.restart}</button>
                    `
              }
            </div>
          `
        }
        ${
          canBeForgotten(service) &&
          html`<div class="buttons"><button type="button" onClick=${() => void forgetService(box, service)}><${Icon} name="trash" />${t.forget}</button></div>`
        }
      </div>
      <p class="soft">${summary}</p>
    </div>
    <section class="panel" aria-label=${t.facts.state}>
      <div class="panel-body">
        <div aria-live="polite"><${State} service=${service} />${detail && html`<p class="service-trouble">${detail}</p>`}</div>
        <dl class="facts-grid">
          <div><dt>${t.facts.running}</dt><dd><${Running} service=${service} /></dd></div>
          <div><dt>${t.facts.restarts}</dt><dd>${restarts}</dd></div>
          <div><dt>${t.facts.version}</dt><dd>${version ?? '–'}</dd></div>
          <div><dt>${t.facts.process}</dt><dd>${pid ?? '–'}</dd></div>
          ${(memoryBytes === undefined || memoryLimitBytes === undefined) && html`<div><dt>${t.facts.memory}</dt><dd>${memoryText(service)}</dd></div>`}
        </dl>
        ${
          memoryBytes !== undefined &&
          memoryLimitBytes !== undefined &&
          html`<${Meter} label=${t.facts.memory} share=${memoryBytes / memoryLimitBytes} text=${memoryText(service)} />`
        }
      </div>
    </section>
    <${ServiceActions} name=${name} instance=${instance} />
    <${Log} service=${name} />
    <${ServiceSettings} service=${service} />
  `;
}
