import type { VNode } from 'preact';
import { html } from '../../components/html.ts';
import { words } from '../../words/words.ts';

export default function ThingsPage(): VNode {
  return html`<h1>${words('things').title}</h1>`;
}
