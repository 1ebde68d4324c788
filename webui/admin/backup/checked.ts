import type { BackupWarning, CheckedBackup } from '@ledge/contract';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { bytesText, dateTimeText, hourText, language } from '../../client/format.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { words } from '../../words/words.ts';

/** The box's own sentence in English, which is more exact. */
export const warningText = ({ code, detail, service }: BackupWarning): string => {
  const translated = language.value === 'en' ? undefined : words('backup').warnings[code];
  return translated ? `${service ? `${service} : ` : ''}${translated}` : detail;
};

function contentText({ counts, files }: { counts: Record<string, number>; files: number }): string {
  const t = words('backup');
  const told = Object.entries(counts).map(([what, count]) => t.counts[what]?.(count) ?? `${count} ${what}`);
  return told.length > 0 ? told.join(', ') : files > 0 ? t.files(files) : t.restore.settingsOnly;
}

interface CheckedProps {
  checked: CheckedBackup;
  onRestore: () => void;
  onDrop: () => void;
}

/** What a file holds, and what follows from it. */
export function Checked({ checked, onRestore, onDrop }: CheckedProps): VNode {
  const t = words('backup').restore;
  const { name, edge, sameBox, made, version, bytes, encrypted, expires, parts = [], warnings } = checked;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return html`
    <div class="panel-body">
      <h3 ref=${heading} tabindex="-1">${t.holds}</h3>
      <dl class="facts-grid">
        <div><dt>${t.from}</dt><dd>${name} <span class="soft">${sameBox ? t.thisBox : edge}</span></dd></div>
        <div><dt>${t.made}</dt><dd>${made && dateTimeText(Date.parse(made))}</dd></div>
        <div><dt>${t.version}</dt><dd>${version}</dd></div>
        <div><dt>${t.size}</dt><dd>${bytesText(bytes)}${encrypted && html` <span class="soft">${t.encrypted}</span>`}</dd></div>
      </dl>
    </div>
    <ul class="rows">
      ${parts.map(
        (part) => html`
          <li key=${part.service}>
            <span class="grow"><strong>${part.service}</strong><br /><span class="soft">${contentText(part)}</span></span>
            <span class="soft part-size">${bytesText(part.bytes)}</span>
          </li>
        `,
      )}
    </ul>
    <div class="panel-body checked-end">
      ${warnings.map((warning) => html`<p key=${`${warning.code}${warning.service ?? ''}`} class="told warn"><${Icon} name="warning" /><span>${warningText(warning)}</span></p>`)}
      <div class="backup-go">
        <button type="button" class="danger" onClick=${onRestore}>${t.go}</button>
        <button type="button" onClick=${onDrop}>${t.forget}</button>
        <p class="soft">${t.until(hourText(Date.parse(expires)))}</p>
      </div>
    </div>
  `;
}
