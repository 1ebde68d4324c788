import type { CheckedBackup, RestoreView } from '@ledge/contract';
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { dateTimeText } from '../../client/format.ts';
import { ApiProblem } from '../../client/problem.ts';
import { useBox } from '../../components/box.ts';
import { confirmed } from '../../components/dialog.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Show, useLoad } from '../../components/load.ts';
import { Meter } from '../../components/meter.ts';
import { notifyProblem } from '../../components/notices.ts';
import { problemText } from '../../components/problem-text.ts';
import { words } from '../../words/words.ts';
import { Away } from '../away.ts';
import { Checked, warningText } from './checked.ts';
import { HandIn } from './hand-in.ts';
import { Unlock } from './unlock.ts';

const LOOK_EVERY_MS = 1000;

const when = (time: string) => dateTimeText(Date.parse(time));

/** A restore that goes on. */
function Running({ restore }: { restore: RestoreView }): VNode {
  const t = words('backup').restore;
  const share = restore.totalBytes > 0 ? restore.doneBytes / restore.totalBytes : 0;
  return html`
    <div class="panel-body" role="status">
      ${
        restore.state === 'preparing'
          ? html`<${Meter} label=${t.preparing} share=${share} level="good" text="" /><p class="soft">${t.preparingText}</p>`
          : html`<p>${t.waiting(restore.waiting.join(', '))}</p>`
      }
    </div>
  `;
}

/** How the last one ended. */
function Ended({ restore }: { restore: RestoreView }): VNode {
  const t = words('backup').last;
  const failed = restore.state === 'failed';
  const { problem, warnings } = restore;
  return html`
    <div class="panel-body last-restore" role="status">
      <p class=${failed ? 'told bad' : 'told good'}>
        <${Icon} name=${failed ? 'warning' : 'check'} />
        <span><strong>${t.title}${restore.ended ? `, ${when(restore.ended)}` : ''}:</strong> ${failed ? t.failed : t.done(restore.name, when(restore.made))}</span>
      </p>
      ${failed && problem && html`<p class="soft">${problemText(new ApiProblem(problem.code, problem.detail ?? problem.title))}</p>`}
      ${warnings.map((warning, i) => html`<p key=${i} class="soft">${warningText(warning)}</p>`)}
    </div>
  `;
}

/** Hands in a file, shows what it holds, and puts it back. */
export function Restore(): VNode {
  const { api } = useBox();
  const t = words('backup').restore;
  const overview = useLoad((signal) => api.backup.overview({ signal }));
  const begunMs = useSignal<number | undefined>(undefined);
  const restore = overview.content.value?.restore;
  const goesOn = restore?.state === 'preparing' || restore?.state === 'restarting';
  useEffect(() => {
    if (!goesOn) return;
    const timer = setInterval(() => void overview.load(), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [goesOn, overview]);
  useEffect(() => {
    if (restore?.state === 'failed') begunMs.value = undefined;
  }, [restore?.state]);

  const checkedIs = (checked: CheckedBackup | null) => {
    overview.content.value = { restore: null, ...overview.content.peek(), checked };
  };
  const drop = async ({ id }: CheckedBackup) => {
    await api.backup.drop({ params: { id } }).catch(notifyProblem);
    await overview.load();
  };
  const putBack = async ({ id, made = '' }: CheckedBackup) => {
    if (!(await confirmed({ title: t.ask, text: t.askText(when(made)), action: t.askYes, danger: true }))) return;
    const askedMs = performance.now();
    try {
      const begun = await api.backup.restore({ params: { id } });
      overview.content.value = { checked: null, restore: begun };
      begunMs.value = askedMs;
    } catch (error) {
      notifyProblem(error);
      await overview.load();
    }
  };
  // the box may be gone before it was seen to restart
  const isAway = begunMs.value !== undefined && goesOn && (restore?.state === 'restarting' || overview.error.value !== undefined);
  return html`
    <section class="panel" aria-labelledby="restore-title">
      <div class="panel-head"><div><h2 id="restore-title">${t.title}</h2><p class="soft">${t.text}</p></div></div>
      <${Show} of=${overview} rows=${1} height="9rem">
        ${({ checked }: NonNullable<typeof overview.content.value>) => {
          if (restore && goesOn) return html`<${Running} restore=${restore} />`;
          if (checked?.locked) return html`<${Unlock} checked=${checked} onOpened=${checkedIs} onDrop=${() => void drop(checked)} />`;
          if (checked)
            return html`<${Checked} checked=${checked} onRestore=${() => void putBack(checked)} onDrop=${() => void drop(checked)} />`;
          return html`<${HandIn} onChecked=${checkedIs} />${restore && html`<${Ended} restore=${restore} />`}`;
        }}
      <//>
      ${isAway && html`<${Away} reason="restore" sinceMs=${begunMs.value} />`}
    </section>
  `;
}
