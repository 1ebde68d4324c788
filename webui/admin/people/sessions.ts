import type { SessionEntry } from '@ledge/contract';
import type { VNode } from 'preact';
import { dateTimeText } from '../../client/format.ts';
import { useBox } from '../../components/box.ts';
import { confirmed } from '../../components/dialog.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Show, useLoad } from '../../components/load.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { words } from '../../words/words.ts';

const BROWSERS = [
  [/Edg\w*\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\/|Chromium\//, 'Chrome'],
  [/Safari\//, 'Safari'],
] as const;
const SYSTEMS = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
] as const;
const find = (list: readonly (readonly [RegExp, string])[], agent: string) => list.find(([pattern]) => pattern.test(agent))?.[1];

/** What a browser says it is, in two words; programs by the first word they say. */
function agentText(agent: string): string {
  const t = words('people').sessions;
  const browser = find(BROWSERS, agent);
  const system = find(SYSTEMS, agent);
  if (browser && system) return t.on(browser, system);
  return browser ?? agent.split('/')[0]?.slice(0, 40) ?? t.unknown;
}

/** Browsers that are signed in; each can be sent away. */
export function Sessions(): VNode {
  const { api, session } = useBox();
  const t = words('people').sessions;
  const sessions = useLoad((signal) => api.server.sessions({ signal }));
  const others = sessions.content.value?.filter(({ current }) => !current) ?? [];
  const end = async (entry: SessionEntry) => {
    if (entry.current) {
      if (await confirmed({ title: t.askCurrent, text: t.askCurrentText, action: t.end })) await session.signOut();
      return;
    }
    await api.server
      .endSession({ params: { id: entry.id } })
      .then(() => notify(t.ended))
      .catch(notifyProblem);
    await sessions.load();
  };
  const endOthers = async () => {
    if (!(await confirmed({ title: t.askOthers, text: t.askOthersText, action: t.endOthers, danger: true }))) return;
    const ended = others.map(({ id }) => api.server.endSession({ params: { id } }));
    await Promise.all(ended)
      .then(() => notify(t.ended))
      .catch(notifyProblem);
    await sessions.load();
  };
  return html`
    <section class="panel" aria-labelledby="sessions-title">
      <div class="panel-head">
        <h2 id="sessions-title">${t.title}</h2>
        ${others.length > 1 && html`<button type="button" onClick=${() => void endOthers()}><${Icon} name="leave" />${t.endOthers}</button>`}
      </div>
      <${Show} of=${sessions} rows=${2} height="3.5rem">
        ${(content: readonly SessionEntry[]) => html`
          <ul class="rows">
            ${[...content]
              .sort((a, b) => Number(b.current) - Number(a.current))
              .map(
                (entry) => html`
                  <li key=${entry.id}>
                    <span class="grow">
                      <strong>${entry.user}</strong> · ${agentText(entry.agent)}${entry.current && html` <span class="mine">${t.current}</span>`}<br />
                      <span class="soft">${entry.address} · ${t.seen(dateTimeText(Date.parse(entry.lastSeen)))}</span>
                    </span>
                    <span class="row-buttons">
                      <button type="button" aria-label=${t.endOf(`${entry.user}, ${agentText(entry.agent)}, ${entry.address}`)} onClick=${() => void end(entry)}>${t.end}</button>
                    </span>
                  </li>
                `,
              )}
          </ul>
        `}
      <//>
    </section>
  `;
}
