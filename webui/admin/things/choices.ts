import type { VNode } from 'preact';
import { html } from '../../components/html.ts';
import { Icon } from '../../components/icons.ts';
import { words } from '../../words/words.ts';
import type { DriverView } from './new-thing.ts';

interface ChoiceProps {
  group: string;
  title: string;
  text?: string;
  chosen: boolean;
  onChoose: () => void;
}

/** One of several cards of which one is chosen. */
const Choice = ({ group, title, text, chosen, onChoose }: ChoiceProps): VNode => html`
  <label class="choice">
    <input type="radio" name=${group} checked=${chosen} onChange=${onChoose} />
    <span class="choice-title">${title}</span>
    ${text && html`<span class="choice-text">${text}</span>`}
  </label>
`;

interface DriversProps {
  drivers: readonly DriverView[];
  chosen: string | undefined;
  onChoose: (driver: DriverView) => void;
}

/** What a thing hangs on. Drivers that this machine cannot serve come last, and say why. */
export function DriverChoice({ drivers, chosen, onChoose }: DriversProps): VNode {
  const t = words('things').newThing;
  const can = drivers.filter(({ available }) => available);
  const cannot = drivers.filter(({ available }) => !available);
  return html`
    <fieldset class="panel choices-panel">
      <legend class="visually-hidden">${t.driver}</legend>
      <div class="panel-head"><h2 aria-hidden="true">${t.driver}</h2></div>
      <div class="panel-body">
        <div class="choices">
          ${can.map(
            (driver) => html`
              <${Choice}
                key=${driver.name}
                group="driver"
                title=${t.drivers[driver.name as keyof typeof t.drivers] ?? driver.name}
                text=${driver.found.length > 0 ? t.foundSome(driver.found.length) : (t.summaries[driver.name as keyof typeof t.summaries] ?? driver.summary)}
                chosen=${driver.name === chosen}
                onChoose=${() => onChoose(driver)}
              />
            `,
          )}
        </div>
        ${
          cannot.length > 0 &&
          html`
            <details class="cannot">
              <summary>${t.cannot(cannot.length)}</summary>
              <ul class="cannot-list">
                ${cannot.map(
                  (driver) => html`
                    <li key=${driver.name}>
                      <div class="grow"><strong>${t.drivers[driver.name as keyof typeof t.drivers] ?? driver.name}</strong><p class="soft">${driver.why}</p></div>
                      <button type="button" class="link" onClick=${() => onChoose(driver)}>${t.prepare}</button>
                    </li>
                  `,
                )}
              </ul>
            </details>
          `
        }
      </div>
    </fieldset>
  `;
}

interface StartProps {
  found: DriverView['found'];
  chosen: number;
  onChoose: (at: number) => void;
}

/** Something that was found on this machine, or a template. */
export function StartChoice({ found, chosen, onChoose }: StartProps): VNode {
  const t = words('things').newThing;
  return html`
    <fieldset class="panel choices-panel">
      <legend class="visually-hidden">${t.start}</legend>
      <div class="panel-head"><h2 aria-hidden="true"><${Icon} name="search" />${t.start}</h2></div>
      <div class="panel-body choices">
        ${found.map(({ title }, i) => html`<${Choice} key=${i} group="start" title=${title} chosen=${chosen === i} onChoose=${() => onChoose(i)} />`)}
        <${Choice} group="start" title=${t.template} text=${t.templateText} chosen=${chosen === -1} onChoose=${() => onChoose(-1)} />
      </div>
    </fieldset>
  `;
}
