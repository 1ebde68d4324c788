import type { VNode } from 'preact';
import { html } from '../../components/html.ts';
import { words } from '../../words/words.ts';
import { MakeBackup } from './make.ts';
import { Restore } from './restore.ts';
import '../../styles/backup.css';

/** One file with everything, and back. */
export default function BackupPage(): VNode {
  return html`<h1>${words('backup').title}</h1><${MakeBackup} /><${Restore} />`;
}
