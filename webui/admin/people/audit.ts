import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { dateTimeText } from '../../client/format.ts';
import { useBox } from '../../components/box.ts';
import { html } from '../../components/html.ts';
import { Show, useLoad } from '../../components/load.ts';
import { notifyProblem } from '../../components/notices.ts';
import { words } from '../../words/words.ts';

const PAGE = 20;
type AuditPage = Awaited<ReturnType<ReturnType<typeof useBox>['api']['server']['audit']>>;

function resultText(status: number): string {
  const t = words('people').audit;
  return status < 400 ? t.ok : status < 500 ? t.refused(status) : t.failed(status);
}

/** What was changed by whom, page by page. */
export function Audit(): VNode {
  const { api } = useBox();
  const t = words('people').audit;
  const audit = useLoad((signal) => api.server.audit({ query: { limit: PAGE }, signal }));
  const [busy, setBusy] = useState(false);
  const more = async ({ items, cursor }: AuditPage) => {
    setBusy(true);
    try {
      const next = await api.server.audit({ query: { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) } });
      audit.content.value = { ...next, items: [...items, ...next.items] };
    } catch (error) {
      notifyProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return html`
    <section class="panel" aria-labelledby="audit-title">
      <div class="panel-head"><div><h2 id="audit-title">${t.title}</h2><p class="soft">${t.text}</p></div></div>
      <${Show} of=${audit} rows=${5} height="2.75rem">
        ${(page: AuditPage) =>
          page.items.length === 0
            ? html`<p class="rows-none">${t.none}</p>`
            : html`
                <table class="audit">
                  <thead><tr><th scope="col">${t.time}</th><th scope="col">${t.user}</th><th scope="col">${t.action}</th><th scope="col">${t.status}</th></tr></thead>
                  <tbody>
                    ${page.items.map(
                      ({ time, user, address, action, detail, status }, i) => html`
                        <tr key=${page.items.length - i}>
                          <td class="audit-time">${dateTimeText(Date.parse(time))}</td>
                          <td><strong>${user || '–'}</strong> <span class="soft">${address}</span></td>
                          <td class="audit-what"><code>${action}</code>${detail && html`<span class="soft">${detail}</span>`}</td>
                          <td class=${status < 400 ? 'soft' : 'audit-refused'}>${resultText(status)}</td>
                        </tr>
                      `,
                    )}
                  </tbody>
                </table>
                ${page.cursor !== undefined && html`<div class="more"><button type="button" disabled=${busy} onClick=${() => void more(page)}>${busy ? words('shell').loading : t.more}</button></div>`}
              `}
      <//>
    </section>
  `;
}
