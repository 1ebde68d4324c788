import { topicFault } from '@ledge/contract/topics.ts';
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useBox } from '../../components/box.ts';
import { SelectField, SwitchField, TextField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { words } from '../../words/words.ts';

interface PublishProps {
  /** What somebody chose elsewhere to be published again. */
  wanted: { topic: string; payload: string };
  onPublished: (topic: string, retained: boolean) => void;
}

/** Says something on the bus. */
export function Publish({ wanted, onPublished }: PublishProps): VNode {
  const { api } = useBox();
  const t = words('mqtt').publish;
  const [topic, setTopic] = useState('');
  const [payload, setPayload] = useState('');
  const [retain, setRetain] = useState(false);
  const [qos, setQos] = useState<0 | 1 | 2>(1);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (wanted.topic === '') return;
    setTopic(wanted.topic);
    setPayload(wanted.payload);
  }, [wanted]);
  const wrong = topicFault(topic) !== undefined;
  const publish = async (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (wrong) return;
    setBusy(true);
    try {
      await api.sse.publish({ body: { topic, value: payload, retain, qos } });
      notify(t.done(topic));
      onPublished(topic, retain);
      setTried(false);
    } catch (error) {
      notifyProblem(error);
    }
    setBusy(false);
  };
  return html`
    <section class="panel" aria-labelledby="publish-title">
      <div class="panel-head"><h2 id="publish-title">${t.title}</h2></div>
      <form class="panel-body" onSubmit=${publish}>
        <${TextField} label=${t.topic} value=${topic} onInput=${setTopic} error=${tried && wrong ? t.topicWanted : undefined} placeholder="garden/pump/set" autocapitalize="off" autocomplete="off" spellcheck=${false} />
        <div class="field">
          <label for="publish-payload">${t.payload}</label>
          <textarea id="publish-payload" class="publish-payload" value=${payload} spellcheck=${false} autocapitalize="off" onInput=${(event: InputEvent) => setPayload((event.currentTarget as HTMLTextAreaElement).value)}></textarea>
        </div>
        <div class="publish-how">
          <${SwitchField} label=${t.retain} value=${retain} onInput=${setRetain} />
          <${SelectField} label=${t.qos} value=${String(qos)} options=${['0', '1', '2'].map((one) => [one, one])} onInput=${(one: string) => setQos(Number(one) as 0 | 1 | 2)} />
        </div>
        ${retain && payload === '' && html`<p class="soft">${t.clears}</p>`}
        <div class="buttons"><button type="submit" class="primary" disabled=${busy}><${Icon} name="upload" />${t.publish}</button></div>
      </form>
    </section>
  `;
}
