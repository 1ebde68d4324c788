import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { html } from '../../components/html.ts';
import { Empty } from '../../components/load.ts';
import { Tabs } from '../../components/tabs.ts';
import { go, path } from '../../router.ts';
import { words } from '../../words/words.ts';
import { Clients } from './clients.ts';
import { Counters } from './counters.ts';
import './mqtt.css';
import { Topics } from './topics.ts';
import { Users } from './users.ts';

const PARTS = { clients: Clients, users: Users, topics: Topics, counters: Counters } as const;
type Part = keyof typeof PARTS;
const FIRST: Part = 'clients';

/** The message broker: who is connected, who may what, what is said, and how much. */
export default function MqttPage(): VNode {
  const t = words('mqtt');
  const part = path.value.split('/')[3] ?? '';
  useEffect(() => {
    if (part === '') go(`/admin/mqtt/${FIRST}`, { replace: true });
  }, [part]);
  const Content = Object.hasOwn(PARTS, part) ? PARTS[part as Part] : undefined;
  const tabs = (Object.keys(PARTS) as Part[]).map((name) => ({ href: `/admin/mqtt/${name}`, text: t.tabs[name] }));
  return html`
    <div class="page-head"><h1>${t.title}</h1></div>
    <${Tabs} label=${t.title} tabs=${tabs} present=${`/admin/mqtt/${part}`} />
    ${Content ? html`<${Content} />` : part !== '' && html`<${Empty} title=${words('shell').notFound.title} />`}
  `;
}
