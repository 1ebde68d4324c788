import type { Tile as ServiceTile } from '@ledge/contract';
import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ServiceModel } from '../client/services.ts';
import { ageText, useNow } from '../components/age.ts';
import { useBox } from '../components/box.ts';
import { html } from '../components/html.ts';
import { Icon } from '../components/icons.ts';
import { useLoad } from '../components/load.ts';
import { problemText } from '../components/problem-text.ts';
import { reading } from '../components/value-text.ts';
import { words } from '../words/words.ts';
import { Block } from './thing-block.ts';
import { Tile, TileFrame } from './tile.ts';

const ASK_EVERY_MS = 30_000;

interface Answer {
  value: unknown;
  unit: string;
  atMs: number;
}

const datatypeOf = (value: unknown) => (typeof value === 'number' ? 'float' : typeof value === 'boolean' ? 'boolean' : 'string');

/** A value that a service answers at a path of its own: asked again every half a minute. */
function PathTile({ service, title, path }: { service: ServiceModel; title: string; path: string }): VNode {
  const { api } = useBox();
  const now = useNow();
  const loader = useLoad<Answer>(
    async (signal) => {
      const response = await api.send(`/api/${service.name}/${path.replace(/^\/+/, '')}`, {
        signal,
        headers: { Accept: 'application/json' },
      });
      const { value, unit } = (await response.json()) as { value?: unknown; unit?: unknown };
      return { value, unit: typeof unit === 'string' ? unit : '', atMs: api.boxNow() };
    },
    [api, service.name, service.instance, path],
  );
  useEffect(() => {
    const timer = setInterval(() => document.hidden || void loader.load(), ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, [loader]);
  const age = useComputed(() => (loader.content.value ? ageText(now.value - loader.content.value.atMs) : '\u00a0'));
  const answer = loader.content.value;
  const error = loader.error.value;
  const shown = answer && reading({ datatype: datatypeOf(answer.value), format: '', unit: answer.unit }, String(answer.value ?? ''));
  const note =
    error === undefined
      ? html`<span class="note age">${age}</span>`
      : html`<span class="note bad"><${Icon} name="warning" /><span>${problemText(error)}</span></span>`;
  return html`
    <${TileFrame} name=${html`<span title=${title}>${title}</span>`} note=${note} data-stale=${error === undefined ? undefined : 'yes'}>
      <span class=${datatypeOf(answer?.value ?? 0) === 'string' ? 'reading wordy' : 'reading'}><span class="value">${shown?.text || '–'}</span> <span class="unit">${shown?.unit}</span></span>
    <//>
  `;
}

/** A value on the bus that a service wants to be seen. */
function PropertyTile({ title, property, canSet }: { title: string; property: string; canSet: boolean }): VNode {
  const { live } = useBox();
  const found = useComputed(() => {
    const [id, ...key] = property.split('/');
    const thing = live.things.list.value.find((one) => one.id === id);
    return thing?.properties.value.find((one) => one.key === key.join('/'));
  }).value;
  if (found) return html`<${Tile} property=${found} canSet=${canSet} title=${title} />`;
  return html`<${TileFrame} name=${title} note=${words('dashboard').noValue}><span class="reading"><span class="value">–</span></span><//>`;
}

interface ServiceBlockProps {
  name: string;
  service: ServiceModel;
  tiles: readonly ServiceTile[];
  canSet: boolean;
}

export function ServiceBlock({ name, service, tiles, canSet }: ServiceBlockProps): VNode {
  const t = words('dashboard').service;
  const { state } = service;
  const away = state !== 'ready' && state !== 'degraded' && state !== 'init';
  const aside = state !== 'ready' && html`<span class=${`badge ${state}`}>${t.states[state]}</span>`;
  return html`
    <${Block} title=${name} aside=${aside} columns=${tiles.length} away=${away}>
      <dl class="tiles">
        ${tiles.map(({ title, property, path }) =>
          property
            ? html`<${PropertyTile} key=${`${title} ${property}`} title=${title} property=${property} canSet=${canSet} />`
            : path && html`<${PathTile} key=${`${title} ${path}`} service=${service} title=${title} path=${path} />`,
        )}
      </dl>
    <//>
  `;
}
