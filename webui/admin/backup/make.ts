import type { VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { Api } from '../../client/api.ts';
import { bytesText } from '../../client/format.ts';
import { useBox } from '../../components/box.ts';
import { SwitchField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { PasswordInput } from '../../components/password-input.ts';
import { fieldProblems } from '../../components/problem-text.ts';
import { words } from '../../words/words.ts';

const MIN_PASSPHRASE_LENGTH = 8;
const SHOW_EVERY_MS = 200;

interface Wish {
  passphrase?: string;
  history: boolean;
}

/** The file as the browser keeps it: a large one lies on its disk, not in memory. */
async function fetchBackup(
  api: Api,
  wish: Wish,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<{ name: string; file: Blob }> {
  const headers = { 'Content-Type': 'application/json' };
  const response = await api.send('/api/server/backup', { method: 'POST', headers, body: JSON.stringify(wish), signal });
  const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'backup.ledge';
  let bytes = 0;
  let shownMs = 0;
  const counting = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (performance.now() - shownMs > SHOW_EVERY_MS) {
        shownMs = performance.now();
        onBytes(bytes);
      }
      controller.enqueue(chunk);
    },
  });
  const file = await new Response(response.body?.pipeThrough(counting) ?? null).blob();
  return { name, file };
}

function save(name: string, file: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Makes the file and hands it to the browser. */
export function MakeBackup(): VNode {
  const { api } = useBox();
  const t = words('backup').make;
  const [passphrase, setPassphrase] = useState('');
  const [history, setHistory] = useState(true);
  const [error, setError] = useState<string>();
  const [bytes, setBytes] = useState<number>();
  const making = useRef<AbortController | undefined>(undefined);
  const make = async () => {
    if (passphrase !== '' && passphrase.length < MIN_PASSPHRASE_LENGTH) return setError(t.passphraseShort);
    setError(undefined);
    setBytes(0);
    making.current = new AbortController();
    try {
      const wish = { history, ...(passphrase === '' ? {} : { passphrase }) };
      const { name, file } = await fetchBackup(api, wish, making.current.signal, setBytes);
      save(name, file);
      setPassphrase('');
      notify(t.done(name, bytesText(file.size)));
    } catch (problem) {
      if (making.current.signal.aborted) return;
      const wrong = fieldProblems(problem).passphrase;
      if (wrong) setError(wrong);
      else notifyProblem(problem);
    } finally {
      setBytes(undefined);
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void make();
  };
  const busy = bytes !== undefined;
  return html`
    <section class="panel" aria-labelledby="make-title">
      <div class="panel-head"><div><h2 id="make-title">${t.title}</h2><p class="soft">${t.text}</p></div></div>
      <form class="panel-body backup-form" onSubmit=${submit}>
        <${PasswordInput}
          label=${t.passphrase}
          hint=${passphrase === '' ? t.openHint : t.passphraseHint}
          error=${error}
          value=${passphrase}
          onInput=${setPassphrase}
          autocomplete="new-password"
        />
        <${SwitchField} label=${t.history} hint=${t.historyHint} value=${history} onInput=${setHistory} disabled=${busy} />
        <div class="backup-go">
          <button class="primary" disabled=${busy}><${Icon} name="download" />${t.go}</button>
          ${busy && html`<button type="button" onClick=${() => making.current?.abort()}>${t.cancel}</button>`}
          <p class="soft" role="status">${busy ? t.making(bytesText(bytes)) : ''}</p>
        </div>
      </form>
    </section>
  `;
}
