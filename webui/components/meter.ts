import type { VNode } from 'preact';
import { html } from './html.ts';

interface MeterProps {
  share: number;
  label: string;
  text: string;
  /** Left out: by how much is used. */
  level?: 'good' | 'warn' | 'bad';
}

/** How much of something is used, 0 to 1; told in words beside it. */
export function Meter({ share, label, text, level = share > 0.9 ? 'bad' : share > 0.75 ? 'warn' : 'good' }: MeterProps): VNode {
  return html`
    <div class="meter">
      <div class="meter-head"><span>${label}</span><span class="meter-text">${text}</span></div>
      <svg class=${level} viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <path class="track" d="M0 2h100" /><path class="used" d=${`M0 2h${Math.min(100, Math.max(0, share * 100))}`} />
      </svg>
    </div>
  `;
}
