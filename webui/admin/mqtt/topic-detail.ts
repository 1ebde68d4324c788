import type { VNode } from 'preact';
import { dateTimeText, numberText } from '../../client/format.ts';
import type { TopicFeed } from '../../client/topic-feed.ts';
import { useBox } from '../../components/box.ts';
import { confirmed } from '../../components/dialog.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { words } from '../../words/words.ts';
import { readable } from './payload.ts';

interface DetailProps {
  feed: TopicFeed;
  topic: string | undefined;
  onPublish: (topic: string, payload: string) => void;
}

/** All of one topic: its whole name and last value, and what can be done with it. */
export function TopicDetail({ feed, topic, onPublish }: DetailProps): VNode {
  const { api } = useBox();
  const t = words('mqtt').topics;
  feed.version.value; // the tree is no signal itself
  const node = topic === undefined ? undefined : feed.tree.find(topic);
  if (!node || topic === undefined)
    return html`<div class="panel"><p class="panel-text soft">${topic === undefined ? t.choose : t.goneNow}</p></div>`;
  const { value } = node;
  const publish = (payload: string) => api.sse.publish({ body: { topic, value: payload, retain: true, qos: 1 } });
  const forget = async () => {
    if (!value) return;
    const whole = !value.binary && !value.cut;
    if (!whole && !(await confirmed({ title: t.forgetTitle, text: t.forgetText, action: words('shell').remove, danger: true }))) return;
    try {
      await publish('');
      notify(t.forgotten(topic), whole ? () => void publish(value.payload).catch(notifyProblem) : undefined);
    } catch (error) {
      notifyProblem(error);
    }
  };
  const copy = () =>
    void navigator.clipboard
      ?.writeText(topic)
      .then(() => notify(t.copied))
      .catch(notifyProblem);
  return html`
    <section class="panel" aria-label=${t.one}>
      <div class="panel-head">
        <code class="topic-whole">${topic}</code>
        ${isSecureContext && html`<button type="button" class="plain" aria-label=${t.copy} title=${t.copy} onClick=${copy}><${Icon} name="copy" /></button>`}
      </div>
      <div class="panel-body">
        <dl class="topic-facts">
          ${value && html`<div><dt>${t.last}</dt><dd>${dateTimeText(value.atMs)}</dd></div>`}
          <div><dt>${t.messages}</dt><dd>${numberText(node.messages)}</dd></div>
          ${node.children.size > 0 && html`<div><dt>${t.below}</dt><dd>${numberText(node.topicsBelow - (value ? 1 : 0))}</dd></div>`}
          ${value && html`<div><dt>${t.retained}</dt><dd>${value.retained ? words('shell').yes : words('shell').no}</dd></div>`}
        </dl>
        ${
          value
            ? html`
                <pre class="payload verbatim" tabindex="0" aria-label=${t.payload}>${value.payload === '' ? t.nothing : readable(value)}</pre>
                ${(value.binary || value.cut) && html`<p class="soft">${value.binary ? t.base64 : t.payloadCut}</p>`}
              `
            : html`<p class="soft">${t.noValue}</p>`
        }
        <div class="buttons">
          ${value?.retained && html`<button type="button" onClick=${() => void forget()}><${Icon} name="trash" />${t.forget}</button>`}
          <button type="button" onClick=${() => onPublish(topic, value && !value.binary && !value.cut ? value.payload : '')}><${Icon} name="upload" />${t.publishHere}</button>
        </div>
      </div>
    </section>
  `;
}
