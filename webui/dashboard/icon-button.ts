import type { VNode } from 'preact';
import { html } from '../components/html.ts';
import { Icon, type IconName } from '../components/icons.ts';

interface IconButtonProps {
  icon: IconName;
  /** What it does and to what, as nobody can read a picture aloud. */
  label: string;
  onClick: () => void;
  disabled?: boolean;
}

export const IconButton = ({ icon, label, onClick, disabled }: IconButtonProps): VNode => html`
  <button type="button" class="plain" aria-label=${label} title=${label} disabled=${disabled} onClick=${onClick}><${Icon} name=${icon} /></button>
`;
