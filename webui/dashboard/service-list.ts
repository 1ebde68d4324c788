import type { VNode } from 'preact';
import type { ServiceModel, Services } from '../client/services.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';

const STATE_WORDS: Record<ServiceModel['state'], string> = {
  init: 'Starting',
  ready: 'Running',
  degraded: 'In trouble',
  disconnected: 'Stopped',
  stopped: 'Stopped',
  lost: 'Not answering',
};
const MIB = 1024 * 1024;

function facts({ version, memoryBytes, restarts }: ServiceModel): string {
  const parts = [
    version && `v${version}`,
    memoryBytes !== undefined && `${Math.round(memoryBytes / MIB)} MiB`,
    restarts !== undefined && restarts > 0 && `${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`,
  ];
  return parts.filter(Boolean).join(' · ');
}

interface ServicesProps {
  services: Services;
  canRestart: boolean;
  onRestart: (service: ServiceModel) => void;
}

export function ServiceList({ services, canRestart, onRestart }: ServicesProps): VNode {
  return html`
    <ul class="services">
      ${services.list.value.map(
        (service) => html`
          <li key=${service.name} class="service">
            <span class=${`dot ${service.restarting ? 'init' : service.state}`}></span>
            <span class="what">
              <span class="line">
                <span class="name">${service.name}</span>
                <span class=${`state ${service.restarting ? 'init' : service.state}`}>${service.restarting ? 'Restarting' : STATE_WORDS[service.state]}</span>
              </span>
              <span class="summary">${service.detail ?? service.summary ?? ''}</span>
              <span class="facts">${facts(service)}</span>
            </span>
            ${
              canRestart &&
              service.controllable &&
              html`
                <button
                  type="button"
                  class="plain"
                  aria-label=${`Restart ${service.name}`}
                  title="Restart"
                  disabled=${service.restarting}
                  onClick=${() => onRestart(service)}
                >
                  <${Icon} name="restart" />
                </button>
              `
            }
          </li>
        `,
      )}
    </ul>
  `;
}
