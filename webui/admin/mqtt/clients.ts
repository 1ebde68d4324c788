import type { BrokerClient } from '@ledge/contract';
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { bytesText, numberText } from '../../client/format.ts';
import { ageText, useNow } from '../../components/age.ts';
import { useBox } from '../../components/box.ts';
import { confirmed } from '../../components/dialog.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Empty, Show, useLoad } from '../../components/load.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { usePoll } from '../../components/poll.ts';
import { SearchField } from '../../components/search-field.ts';
import { words } from '../../words/words.ts';

const EVERY_MS = 5000;
const SEARCHED = 12;

/** Who is connected now, and why those who are not left. */
export function Clients(): VNode {
  const { api } = useBox();
  const loader = useLoad((signal) => api.broker.clients({ signal }));
  usePoll(loader, EVERY_MS);
  return html`<${Show} of=${loader} rows=${5}>${(clients: BrokerClient[]) => html`<${Lists} clients=${clients} onChange=${() => void loader.load()} />`}<//>`;
}

function Lists({ clients, onChange }: { clients: BrokerClient[]; onChange: () => void }): VNode {
  const t = words('mqtt').clients;
  const search = useSignal('');
  const wanted = search.value.trim().toLowerCase();
  const found = clients.filter(({ client, user = '', address = '' }) =>
    [client, user, address].some((text) => text.toLowerCase().includes(wanted)),
  );
  const here = found.filter(({ connected }) => connected).sort((a, b) => a.client.localeCompare(b.client));
  const gone = found.filter(({ connected }) => !connected);
  return html`
    ${clients.length >= SEARCHED && html`<${SearchField} label=${t.search} value=${search} />`}
    <section class="panel" aria-labelledby="here-title">
      <div class="panel-head"><h2 id="here-title">${t.connected} <span class="tab-count">${here.length}</span></h2></div>
      ${
        here.length === 0
          ? html`<p class="panel-text soft">${t.nobody}</p>`
          : html`<ul class="rows">${here.map((client) => html`<${Here} key=${client.client} client=${client} onChange=${onChange} />`)}</ul>`
      }
    </section>
    <section class="panel" aria-labelledby="gone-title">
      <div class="panel-head"><h2 id="gone-title">${t.left} <span class="tab-count">${gone.length}</span></h2></div>
      ${
        gone.length === 0
          ? html`<p class="panel-text soft">${t.nobodyLeft}</p>`
          : html`<ul class="rows">${gone.map((client) => html`<${Gone} key=${client.client} client=${client} />`)}</ul>`
      }
    </section>
    ${clients.length === 0 && html`<${Empty} icon="list" title=${t.nobody} />`}
  `;
}

function Here({ client, onChange }: { client: BrokerClient; onChange: () => void }): VNode {
  const { api } = useBox();
  const t = words('mqtt').clients;
  const now = useNow();
  const [busy, setBusy] = useState(false);
  const {
    client: id,
    user,
    address,
    transport,
    since,
    subscriptions,
    queuedBytes = 0,
    queuedMessages = 0,
    received,
    sent,
    dropped = 0,
  } = client;
  const disconnect = async () => {
    if (!(await confirmed({ title: t.disconnectTitle(id), text: t.disconnectText, action: t.disconnect, danger: true }))) return;
    setBusy(true);
    try {
      await api.broker.disconnect({ params: { client: id } });
      notify(t.disconnected(id));
      onChange();
    } catch (error) {
      notifyProblem(error);
    }
    setBusy(false);
  };
  return html`
    <li class="client">
      <span class="dot ready"></span>
      <div class="grow">
        <span class="client-id">${id}</span>
        <p class="soft">${[user && user !== id ? t.as(user) : user ? '' : t.anonymous, address, t.transports[transport], t.since(ageText(now.value - Date.parse(since)))].filter(Boolean).join(' · ')}</p>
        ${dropped > 0 && html`<p class="soft bad"><${Icon} name="warning" />${t.dropped(dropped)}</p>`}
        ${queuedMessages > 0 && html`<p class="soft warn">${t.queued(queuedMessages, bytesText(queuedBytes))}</p>`}
      </div>
      <dl class="client-facts">
        ${received !== undefined && html`<div><dt>${t.received}</dt><dd>${numberText(received)}</dd></div>`}
        ${sent !== undefined && html`<div><dt>${t.sent}</dt><dd>${numberText(sent)}</dd></div>`}
        ${subscriptions !== undefined && html`<div><dt>${t.subscriptions}</dt><dd>${subscriptions}</dd></div>`}
      </dl>
      <button type="button" class="plain" disabled=${busy} aria-label=${t.disconnectOne(id)} title=${t.disconnect} onClick=${() => void disconnect()}><${Icon} name="leave" /></button>
    </li>
  `;
}

function Gone({ client }: { client: BrokerClient }): VNode {
  const t = words('mqtt').clients;
  const now = useNow();
  const { client: id, user, address, lastLeft, queuedMessages = 0, queuedBytes = 0 } = client;
  return html`
    <li class="client">
      <span class="dot"></span>
      <div class="grow">
        <span class="client-id">${id}</span>
        ${lastLeft && html`<p>${lastLeft.reason}</p>`}
        <p class="soft">${[user && user !== id && t.as(user), address, lastLeft && ageText(now.value - Date.parse(lastLeft.time))].filter(Boolean).join(' · ')}</p>
        ${queuedMessages > 0 && html`<p class="soft warn">${t.queued(queuedMessages, bytesText(queuedBytes))}</p>`}
      </div>
    </li>
  `;
}
