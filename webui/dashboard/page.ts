import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import type { ServiceModel } from '../client/services.ts';
import type { PropertyModel } from '../client/things.ts';
import { useBox } from '../components/box.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { ServiceList } from './service-list.ts';
import { ThingCard } from './thing-card.ts';
import '../styles/dashboard.css';
import type { Live } from '../client/live.ts';

function Empty({ live }: { live: Live }): VNode {
  if (!live.complete.value)
    return html`<div class="cards" aria-hidden="true">${[1, 2, 3].map((i) => html`<div key=${i} class="card ghost"></div>`)}</div>`;
  return html`
    <div class="empty">
      <${Icon} name="box" />
      <p><strong>No things yet.</strong></p>
      <p>A thing is a small YAML file in the folder <code>things</code>; it appears here as soon as it is saved.</p>
    </div>
  `;
}

/** How many things there are, and whether any of them needs somebody. */
function Summary({ live }: { live: Live }): VNode {
  const text = useComputed(() => {
    const things = live.things.list.value;
    const ill = things.filter(
      ({ state, faults, properties }) =>
        state.value === 'lost' || faults.value.length > 0 || properties.value.some((property) => property.fault.value !== undefined),
    ).length;
    if (things.length === 0) return '\u00a0';
    const count = `${things.length} ${things.length === 1 ? 'thing' : 'things'}`;
    if (ill === 0) return `${count}, all well`;
    return `${count}, ${ill} ${ill === 1 ? 'needs' : 'need'} attention`;
  });
  return html`<p class="summary">${text}</p>`;
}

export default function Dashboard(): VNode {
  const { live, isAdmin, session } = useBox();
  const things = live.things.list.value;
  const onSet = (property: PropertyModel, value: string | number | boolean) => void live.command(property, value);
  const onRestart = (service: ServiceModel) => void live.restart(service).catch(() => undefined);
  const connected = live.connection.value === 'live' || live.connection.value === 'connecting';
  return html`
    <main class="page dashboard">
      <h1 class="visually-hidden">${session.boxName}</h1>
      <section aria-labelledby="things-title">
        <div class="section-head"><h2 id="things-title">Things</h2><${Summary} live=${live} /></div>
        ${
          things.length === 0
            ? html`<${Empty} live=${live} />`
            : html`<div class="cards">
                ${things.map((thing) => html`<${ThingCard} key=${thing.id} thing=${thing} canSet=${isAdmin && connected} onSet=${onSet} />`)}
              </div>`
        }
      </section>
      <section aria-labelledby="services-title">
        <div class="section-head"><h2 id="services-title">Services</h2></div>
        <${ServiceList} services=${live.services} canRestart=${isAdmin} onRestart=${onRestart} />
      </section>
    </main>
  `;
}
