import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { html } from './html.ts';

interface TabsProps {
  label: string;
  tabs: readonly { href: string; text: string; count?: number | undefined }[];
  present: string;
}

/** Parts of a page that have paths of their own; links, so that each can be opened, kept and gone back to. */
export function Tabs({ label, tabs, present }: TabsProps): VNode {
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    place.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [present]);
  return html`
    <nav class="tabs" aria-label=${label} ref=${place}>
      ${tabs.map(
        ({ href, text, count }) =>
          html`<a key=${href} href=${href} aria-current=${href === present ? 'page' : undefined}>
            ${text}${count !== undefined && html`<span class="tab-count">${count}</span>`}
          </a>`,
      )}
    </nav>
  `;
}
