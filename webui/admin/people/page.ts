import type { VNode } from 'preact';
import { html } from '../../components/html.ts';
import { words } from '../../words/words.ts';
import { Audit } from './audit.ts';
import { OwnPassword } from './own-password.ts';
import { Sessions } from './sessions.ts';
import { Tokens } from './tokens.ts';
import { Users } from './users.ts';
import '../../styles/people.css';

/** Who may do what here: people, tokens of programs, browsers that are signed in, and what was changed by whom. */
export default function PeoplePage(): VNode {
  return html`
    <h1>${words('people').title}</h1>
    <${Users} />
    <${OwnPassword} />
    <${Tokens} />
    <${Sessions} />
    <${Audit} />
  `;
}
