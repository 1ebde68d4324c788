import type { VNode } from 'preact';
import { html } from '../../components/html.ts';
import { words } from '../../words/words.ts';

export default function ServicesPage(): VNode {
  return html`<h1>${words('services').title}</h1>`;
}
