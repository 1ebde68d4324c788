import type { VNode } from 'preact';
import type { ServiceModel } from '../../client/services.ts';
import { useBox } from '../../components/box.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Empty, Ghosts } from '../../components/load.ts';
import { words } from '../../words/words.ts';
import { Log } from './log.ts';
import { isStopped, memoryText, Running, restartService, State, startService, useServices } from './service.ts';

function ServiceRow({ service }: { service: ServiceModel }): VNode {
  const box = useBox();
  const t = words('services');
  const { name, summary, detail, version, restarts = 0, memoryBytes, memoryLimitBytes } = service;
  const used = memoryBytes !== undefined && memoryLimitBytes !== undefined ? memoryBytes / memoryLimitBytes : undefined;
  return html`
    <li class="service-row">
      <div class="service-name">
        <a href=${`/admin/services/${name}`}>${name}</a>
        <p class="soft">${detail ?? summary}</p>
      </div>
      <${State} service=${service} />
      <dl class="service-facts">
        <div><dt class="visually-hidden">${t.facts.running}</dt><dd><${Running} service=${service} /></dd></div>
        <div data-level=${used !== undefined && used > 0.9 ? 'bad' : undefined}>
          <dt class="visually-hidden">${t.facts.memory}</dt><dd>${memoryText(service)}</dd>
        </div>
        <div><dt class="visually-hidden">${t.facts.restarts}</dt><dd>${t.restartsText(restarts)}</dd></div>
        <div><dt class="visually-hidden">${t.facts.version}</dt><dd>${version ?? '–'}</dd></div>
      </dl>
      ${
        service.controllable &&
        (isStopped(service)
          ? html`<button type="button" class="service-act" onClick=${() => void startService(box, service)}><${Icon} name="play" />${t.start}</button>`
          : html`
              <button type="button" class="plain service-act" aria-label=${t.restartOf(name)} title=${t.restart} disabled=${service.restarting} onClick=${() => void restartService(box, service)}>
                <${Icon} name="restart" />
              </button>
            `)
      }
    </li>
  `;
}

/** All services at a glance, and what they log. */
export function ServiceOverview(): VNode {
  const t = words('services');
  const services = useServices();
  return html`
    <div class="page-title"><h1>${t.title}</h1><p class="soft">${t.lead}</p></div>
    ${
      services === undefined
        ? html`<${Ghosts} rows=${5} height="4.75rem" />`
        : services.length === 0
          ? html`<${Empty} icon="gear" title=${t.none}><p>${t.noneText}</p><//>`
          : html`<ul class="panel service-list" aria-label=${t.list}>${services.map((service) => html`<${ServiceRow} key=${service.name} service=${service} />`)}</ul>`
    }
    <${Log} />
  `;
}
