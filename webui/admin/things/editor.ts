import type { Signal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { words } from '../../words/words.ts';
import { piecesOf } from './highlight.ts';
import type { Mistake } from './mistakes.ts';
import { breakLine, indent, offsetOfLine } from './typing.ts';

/** Longer files are shown without colours, which would be drawn anew with each key. */
const COLOURED_LINES = 1500;

interface EditorProps {
  label: string;
  text: Signal<string>;
  mistakes: readonly Mistake[];
  /** Somebody has written; mistakes may have moved. */
  onEdit: () => void;
  /** Mistakes are shown at their lines; false once the text is another one. */
  inPlace: boolean;
  onSave: () => void;
}

/** A text in which lines have numbers, mistakes have places, and Tab writes. Escape gives Tab back to the page. */
export function Editor({ label, text, mistakes, onEdit, inPlace, onSave }: EditorProps): VNode {
  const t = words('things').editor;
  const id = useId();
  const noteId = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const tabLeaves = useRef(false);
  const { value } = text;
  const lines = value.split('\n');
  const placed = inPlace ? mistakes.filter(({ line }) => line !== undefined) : [];
  const marked = new Map(placed.map(({ line, message }) => [line, message]).reverse() as [number, string][]);

  const goTo = (line: number | undefined) => {
    const here = area.current;
    if (!here) return;
    const at = offsetOfLine(here.value, line ?? 1);
    here.focus({ preventScroll: true });
    here.setSelectionRange(at, at);
    here.closest('.editor')?.querySelectorAll('.editor-line')[(line ?? 1) - 1]?.scrollIntoView({ block: 'center', inline: 'nearest' });
  };
  useEffect(() => {
    if (mistakes.length > 0) goTo(mistakes[0]?.line);
  }, [mistakes]);

  const onKeyDown = (event: KeyboardEvent) => {
    const here = event.currentTarget as HTMLTextAreaElement;
    if (event.key === 'Escape') {
      tabLeaves.current = true;
      return;
    }
    if (event.key === 'Tab' && !tabLeaves.current && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      indent(here, event.shiftKey);
    } else if (event.key === 'Enter' && !event.isComposing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      breakLine(here);
    } else if (event.key === 's' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onSave();
    }
    if (event.key !== 'Shift') tabLeaves.current = false;
  };
  const onInput = (event: InputEvent) => {
    text.value = (event.currentTarget as HTMLTextAreaElement).value;
    onEdit();
  };

  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      ${mistakes.length > 0 && html`<${Mistakes} mistakes=${mistakes} onGo=${goTo} />`}
      <div class="editor" data-invalid=${mistakes.length > 0 ? 'yes' : undefined}>
        <div class="editor-sheet">
          <div class="editor-numbers" aria-hidden="true">${lines.map((_, i) => html`<div class=${marked.has(i + 1) ? 'bad' : ''}>${i + 1}</div>`)}</div>
          <div class="editor-text">
            <pre aria-hidden="true">${lines.map((line, i) => html`<div class=${marked.has(i + 1) ? 'editor-line bad' : 'editor-line'}>${lines.length > COLOURED_LINES ? line : piecesOf(line).map(([kind, piece]) => (kind === 'plain' ? piece : html`<span class=${`yaml-${kind}`}>${piece}</span>`))}</div>`)}</pre>
            <textarea
              ref=${area}
              id=${id}
              value=${value}
              wrap="off"
              spellcheck=${false}
              autocapitalize="off"
              autocomplete="off"
              aria-describedby=${noteId}
              aria-invalid=${mistakes.length > 0}
              onKeyDown=${onKeyDown}
              onBlur=${() => {
                tabLeaves.current = false;
              }}
              onInput=${onInput}
            ></textarea>
            ${[...marked].map(([line, message]) => html`<p class="editor-mistake" key=${line} style=${{ '--line': line }}><${Icon} name="warning" /><span>${message}</span></p>`)}
          </div>
        </div>
      </div>
      <p class="field-note" id=${noteId}><span>${t.keys}</span></p>
    </div>
  `;
}

function Mistakes({ mistakes, onGo }: { mistakes: readonly Mistake[]; onGo: (line: number | undefined) => void }): VNode {
  const t = words('things').editor;
  return html`
    <div class="mistakes" role="alert">
      <p><${Icon} name="warning" /><strong>${t.mistakes(mistakes.length)}</strong></p>
      <ul>
        ${mistakes.map(
          ({ line, message }, i) => html`
            <li key=${i}>
              ${line !== undefined && html`<button type="button" class="link" onClick=${() => onGo(line)}>${t.line(line)}</button>`}
              <span>${message}</span>
            </li>
          `,
        )}
      </ul>
    </div>
  `;
}
