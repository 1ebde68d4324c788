import type { VNode } from 'preact';
import { html } from '../../components/html.ts';
import { words } from '../../words/words.ts';

export default function SystemPage(): VNode {
  return html`<h1>${words('system').title}</h1>`;
}
