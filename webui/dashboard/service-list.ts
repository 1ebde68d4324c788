import type { VNode } from 'preact';
import type { ServiceModel } from '../client/services.ts';
import { useBox } from '../components/box.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { words } from '../words/words.ts';

function Service({ service }: { service: ServiceModel }): VNode {
  const { live, isAdmin } = useBox();
  const t = words('dashboard').service;
  const { name, summary, detail, restarting, controllable } = service;
  const state = restarting ? 'init' : service.state;
  return html`
    <li class="service">
      <span class=${`dot ${state}`}></span>
      <span class="what">
        <span class="line">
          <span class="name">${name}</span>
          <span class=${`state ${state}`}>${restarting ? t.restarting : t.states[state]}</span>
        </span>
        <span class=${detail ? 'about detail' : 'about'} title=${detail ? undefined : summary}>${detail ?? summary}</span>
      </span>
      ${
        isAdmin &&
        controllable &&
        html`
          <button
            type="button"
            class="plain"
            aria-label=${t.restartOf(name)}
            title=${t.restart}
            disabled=${restarting}
            onClick=${() => void live.restart(service).catch(() => undefined)}
          >
            <${Icon} name="restart" />
          </button>
        `
      }
    </li>
  `;
}

/** The services of the box and how they are. */
export function ServiceList(): VNode {
  const { live } = useBox();
  return html`<ul class="services">${live.services.list.value.map((service) => html`<${Service} key=${service.name} service=${service} />`)}</ul>`;
}
