import { filterFault } from '@ledge/contract/topics.ts';
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { browserPorts } from '../../client/browser.ts';
import { numberText } from '../../client/format.ts';
import { TopicFeed } from '../../client/topic-feed.ts';
import { MAX_TOPICS } from '../../client/topic-tree.ts';
import { useBox } from '../../components/box.ts';
import { Dialog } from '../../components/dialog.ts';
import { TextField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { words } from '../../words/words.ts';
import { Publish } from './publish.ts';
import { TopicDetail } from './topic-detail.ts';
import { TopicList } from './topic-list.ts';

const EVERYTHING = '#';
/** As in mqtt.css: below it, there is no room beside the list. */
const NARROW = '(max-width: 74.99rem)';

/** What is said on the bus, as it is said, and a way to say something. */
export function Topics(): VNode {
  const { api, session } = useBox();
  const t = words('mqtt').topics;
  const [filter, setFilter] = useState(EVERYTHING);
  const [current, setFeed] = useState<TopicFeed>();
  const selected = useSignal<string | undefined>(undefined);
  const [open, setOpen] = useState(false);
  const [wanted, setWanted] = useState({ topic: '', payload: '' });
  useEffect(() => {
    const next = new TopicFeed(filter, { ...browserPorts, boxNow: () => api.boxNow(), onSessionEnd: () => session.ended() });
    setFeed(next);
    next.start();
    return () => next.stop();
  }, [filter, api, session]);
  // until the effect has run, there is only that of the filter before
  const feed = current?.filter === filter ? current : undefined;
  const publishHere = (topic: string, payload: string) => {
    setOpen(false);
    setWanted({ topic, payload });
    // after the dialog has given the focus back
    setTimeout(() => document.getElementById('publish-payload')?.focus());
  };
  const detail = feed && html`<${TopicDetail} feed=${feed} topic=${selected.value} onPublish=${publishHere} />`;
  return html`
    <${FilterForm} filter=${filter} onFilter=${setFilter} />
    <div class="topics">
      <section class="panel topics-panel" aria-label=${t.title}>
        ${feed && html`<${Head} feed=${feed} /><${TopicList} key=${filter} feed=${feed} filter=${filter} selected=${selected} onOpen=${() => setOpen(matchMedia(NARROW).matches)} />`}
      </section>
      <div class="topics-side">
        <div class="topics-detail">${detail}</div>
        <${Publish} wanted=${wanted} onPublished=${(topic: string, retained: boolean) => retained && setTimeout(() => feed?.markRetained(topic), 500)} />
      </div>
    </div>
    ${open && selected.value !== undefined && html`<${Dialog} title=${t.one} onClose=${() => setOpen(false)}>${detail}<//>`}
  `;
}

function FilterForm({ filter, onFilter }: { filter: string; onFilter: (filter: string) => void }): VNode {
  const t = words('mqtt').topics;
  const [text, setText] = useState(filter);
  const [wrong, setWrong] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    const next = text.trim() || EVERYTHING;
    const fault = filterFault(next) !== undefined;
    setWrong(fault);
    if (!fault) onFilter(next);
  };
  return html`
    <form class="filter-form" onSubmit=${submit}>
      <${TextField} label=${t.filter} value=${text} onInput=${setText} error=${wrong ? t.filterWanted : undefined} hint=${t.filterHint} list="filters" autocapitalize="off" autocomplete="off" spellcheck=${false} />
      <datalist id="filters"><option value="#"></option><option value="$SYS/#"></option><option value="homeassistant/#"></option></datalist>
      <button type="submit">${t.listen}</button>
    </form>
  `;
}

function Head({ feed }: { feed: TopicFeed }): VNode {
  const t = words('mqtt').topics;
  feed.version.value; // the tree is no signal itself
  const { root, cut } = feed.tree;
  return html`
    <div class="panel-head">
      <p><strong>${t.count(root.topicsBelow, numberText(root.topicsBelow))}</strong> <span class="soft">${t.rate(numberText(feed.messagesPerS.value))}</span></p>
      ${feed.connection.value !== 'live' && html`<p class="soft" role="status">${words('shell').connection[feed.connection.value]}…</p>`}
    </div>
    ${cut > 0 && html`<p class="cut-note" role="status"><${Icon} name="warning" />${t.cut(numberText(MAX_TOPICS), numberText(cut))}</p>`}
  `;
}
