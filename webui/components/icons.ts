import type { VNode } from 'preact';
import { html } from './html.ts';

/** Outlines on a grid of 24, drawn for this page. */
const PATHS = {
  mark: 'M4 17h16M12 5.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7z',
  warning: 'M12 4 2.8 19.5h18.4L12 4zM12 10v4.5M12 17.2v.1',
  check: 'M5 12.5 10 17.5 19.5 7',
  restart: 'M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4.2h-4.2',
  leave: 'M14 4.5h4.5a1 1 0 0 1 1 1v13a1 1 0 0 1-1 1H14M4 12h10.5M10.5 8 14.5 12l-4 4',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6z',
  box: 'M4.5 8 12 4l7.5 4v8L12 20l-7.5-4V8zM4.5 8l7.5 4 7.5-4M12 12v8',
} as const;
export type IconName = keyof typeof PATHS;

/** A small picture beside words; it says nothing of its own, so nobody is read it. */
export const Icon = ({ name }: { name: IconName }): VNode =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`;
