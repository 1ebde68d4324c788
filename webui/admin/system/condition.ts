import type { MachineView } from '@ledge/contract';
import type { VNode } from 'preact';
import { bytesText, numberText, percentText } from '../../client/format.ts';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { Meter } from '../../components/meter.ts';
import { words } from '../../words/words.ts';

const HOT_C = 70;
const TOO_HOT_C = 80;
/** Where the bar begins and ends. */
const [COLD_C, LIMIT_C] = [20, 85];

type Brakes = NonNullable<NonNullable<MachineView['throttled']>['now']>;
const brakesIn = (brakes: Brakes | undefined): string => {
  const { brake } = words('system').condition;
  const names = Object.entries(brakes ?? {}).filter(([, on]) => on);
  return names.map(([name]) => brake[name as keyof typeof brake] ?? name).join(', ');
};

/** What slows a Raspberry Pi down, now and before. */
function BrakesFact({ throttled }: { throttled: NonNullable<MachineView['throttled']> }): VNode {
  const t = words('system').condition;
  const [now, before] = [brakesIn(throttled.now), brakesIn(throttled.before)];
  const weak = throttled.now?.underVoltage || throttled.before?.underVoltage;
  return html`
    <div>
      <dt>${t.brakes}</dt>
      <dd>
        ${now && html`<p class="told bad"><${Icon} name="warning" /><span>${t.brakesNow(now)}</span></p>`}
        ${before && html`<p class="told warn"><${Icon} name="warning" /><span>${t.brakesBefore(before)}</span></p>`}
        ${!now && !before && html`<p class="told good"><${Icon} name="check" /><span>${t.brakesNone}</span></p>`}
        ${weak && html`<p class="soft">${t.brakesHint}</p>`}
      </dd>
    </div>
  `;
}

/** How the machine fares: what it has left, how warm it is, how worn its card. */
export function Condition({ view }: { view: MachineView }): VNode | null {
  const t = words('system').condition;
  const { memory, disk, load, temperatureC, throttled, card } = view;
  if (!memory && !disk && load === undefined && temperatureC === undefined && !throttled && !card) return null;
  const free = (freeBytes: number, totalBytes: number) => t.free(bytesText(freeBytes), bytesText(totalBytes));
  const wear = card?.lifeTime;
  return html`
    <section class="panel" aria-labelledby="condition-title">
      <div class="panel-head"><h2 id="condition-title">${t.title}</h2></div>
      <div class="panel-body">
        <div class="meters">
          ${memory && html`<${Meter} label=${t.memory} share=${1 - memory.availableBytes / memory.totalBytes} text=${free(memory.availableBytes, memory.totalBytes)} />`}
          ${disk && html`<${Meter} label=${t.disk} share=${1 - disk.freeBytes / disk.totalBytes} text=${free(disk.freeBytes, disk.totalBytes)} />`}
          ${load !== undefined && html`<${Meter} label=${t.load} share=${Math.min(1, load)} text=${percentText(load)} />`}
          ${
            temperatureC !== undefined &&
            html`
              <${Meter}
                label=${t.temperature}
                share=${(temperatureC - COLD_C) / (LIMIT_C - COLD_C)}
                level=${temperatureC > TOO_HOT_C ? 'bad' : temperatureC > HOT_C ? 'warn' : 'good'}
                text=${`${numberText(Math.round(temperatureC))}\u00a0°C`}
              />
            `
          }
          ${wear !== undefined && html`<${Meter} label=${t.cardWear} share=${wear} text=${t.cardWearText(percentText(wear))} />`}
        </div>
        ${
          (throttled || card) &&
          html`
            <dl class="facts-grid">
              ${throttled && html`<${BrakesFact} throttled=${throttled} />`}
              ${card?.name && html`<div><dt>${t.card}</dt><dd>${card.name}</dd></div>`}
              ${card && html`<div><dt>${t.written}</dt><dd>${bytesText(card.writtenBytesSinceStart)}</dd></div>`}
            </dl>
          `
        }
      </div>
    </section>
  `;
}
