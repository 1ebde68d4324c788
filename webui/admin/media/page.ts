import type { VNode } from 'preact';
import { html } from '../../components/html.ts';
import { words } from '../../words/words.ts';

export default function MediaPage(): VNode {
  return html`<h1>${words('media').title}</h1>`;
}
