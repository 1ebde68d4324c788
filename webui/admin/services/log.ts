import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { browserPorts } from '../../client/browser.ts';
import { clockText } from '../../client/format.ts';
import { type LogEntry, LogFeed, type LogLevel } from '../../client/log-feed.ts';
import { useBox } from '../../components/box.ts';
import { Field, SelectField } from '../../components/field.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Failed } from '../../components/load.ts';
import { words } from '../../words/words.ts';

const TYPING_MS = 300;
/** How far from the end somebody may be and still be carried along. */
const NEAR_END_PX = 40;

const LEVEL_NAMES = [
  [60, 'fatal'],
  [50, 'error'],
  [40, 'warn'],
  [30, 'info'],
  [20, 'debug'],
] as const;
const levelName = (level: number) => LEVEL_NAMES.find(([least]) => level >= least)?.[1] ?? 'trace';
const fieldText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

function drawLine(entry: LogEntry, withService: boolean): VNode {
  const t = words('services').log;
  if ('dropped' in entry) return html`<li key=${entry.id} class="log-dropped">${t.dropped(entry.dropped)}</li>`;
  const { time, service, level, message, fields } = entry.line;
  const name = levelName(level);
  const details = Object.entries(fields);
  return html`
    <li key=${entry.id} class=${`log-line ${name}`}>
      <time datetime=${time}>${clockText(Date.parse(time))}</time>
      <span class="log-level">${t.names[name]}</span>
      ${withService && html`<span class="log-service">${service}</span>`}
      <span class="log-message">${message}</span>
      ${details.length > 0 && html`<span class="log-fields">${details.map(([key, value]) => html`<span key=${key}><b>${key}</b> ${fieldText(value)}</span>`)}</span>`}
    </li>
  `;
}

/** Lines never change, so each is drawn once; Preact skips what is the same object as before. */
function useDrawnLines(entries: readonly LogEntry[], withService: boolean): VNode[] {
  const t = words('services');
  const drawn = useMemo(() => new WeakMap<LogEntry, VNode>(), [t, withService]);
  return entries.map((entry) => {
    const known = drawn.get(entry) ?? drawLine(entry, withService);
    drawn.set(entry, known);
    return known;
  });
}

/** Keeps the end in view, unless somebody scrolled away from it. */
function useFollowing(changing: unknown) {
  const place = useRef<HTMLUListElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const toEnd = () => {
    if (place.current) place.current.scrollTop = place.current.scrollHeight;
    setAtEnd(true);
  };
  useLayoutEffect(() => {
    if (atEnd) toEnd();
  }, [changing]);
  const onScroll = () => {
    const list = place.current;
    if (list) setAtEnd(list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX);
  };
  return { place, atEnd, toEnd, onScroll };
}

function Lines({
  feed,
  filtered,
  service,
  withFields,
}: {
  feed: LogFeed;
  filtered: boolean;
  service: string | undefined;
  withFields: boolean;
}): VNode {
  const t = words('services').log;
  const entries = feed.entries.value;
  const lines = useDrawnLines(entries, service === undefined);
  const { place, atEnd, toEnd, onScroll } = useFollowing(entries);
  const state = feed.state.value;
  const note = entries.length > 0 ? undefined : state === 'connecting' ? t.loading : filtered ? t.emptyFiltered : t.empty;
  return html`
    <div class="log-place">
      <ul class="log-lines" ref=${place} tabindex="0" aria-label=${service ? t.titleOf(service) : t.title} data-fields=${withFields ? 'yes' : undefined} onScroll=${onScroll}>
        ${lines}
      </ul>
      ${note && html`<p class="log-note">${note}</p>`}
      ${!atEnd && html`<button type="button" class="log-newest" onClick=${toEnd}><${Icon} name="down" />${t.newest}</button>`}
    </div>
  `;
}

/** What a service, or all of them, log: the last lines, then live. */
export function Log({ service }: { service?: string }): VNode {
  const { api, live } = useBox();
  const t = words('services').log;
  const [level, setLevel] = useState<LogLevel>('info');
  const [typed, setTyped] = useState('');
  const [text, setText] = useState('');
  const [withFields, setWithFields] = useState(false);
  const feed = useMemo(
    () => new LogFeed(api, { service, level, text: text || undefined }, browserPorts.after),
    [api, service, level, text],
  );
  const epoch = live.epoch.value;
  useEffect(() => {
    feed.start();
    return () => feed.stop();
  }, [feed, epoch]);
  useEffect(() => browserPorts.after(TYPING_MS, () => setText(typed.trim())), [typed]);
  const retry = () => {
    feed.stop();
    feed.start();
  };
  const paused = feed.paused.value;
  const waiting = feed.waiting.value;
  const error = feed.error.value;
  return html`
    <section class="panel log" aria-labelledby="log-title">
      <div class="panel-head">
        <h2 id="log-title">${t.title}</h2>
        <span class="soft" role="status">${feed.state.value === 'away' ? t.away : paused && waiting > 0 ? t.waiting(waiting) : ''}</span>
      </div>
      <div class="log-tools">
        <${SelectField} label=${t.level} value=${level} options=${Object.entries(t.levels)} onInput=${setLevel} />
        <${Field} label=${t.text}>
          ${({ id }: { id: string }) => html`<input id=${id} type="search" autocomplete="off" maxlength="200" value=${typed} onInput=${(event: InputEvent) => setTyped((event.target as HTMLInputElement).value)} />`}
        <//>
        <div class="log-buttons">
          <button type="button" aria-pressed=${withFields} onClick=${() => setWithFields(!withFields)}><${Icon} name="list" />${t.fields}</button>
          <button type="button" onClick=${() => feed.pause(!paused)}><${Icon} name=${paused ? 'play' : 'pause'} />${paused ? t.resume : t.pause}</button>
        </div>
      </div>
      ${
        error !== undefined
          ? html`<div class="panel-body"><${Failed} error=${error} onRetry=${retry} /></div>`
          : html`<${Lines} feed=${feed} filtered=${text !== ''} service=${service} withFields=${withFields} />`
      }
    </section>
  `;
}
