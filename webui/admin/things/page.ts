import type { VNode } from 'preact';
import { html } from '../../components/html.ts';
import { path } from '../../router.ts';
import './things.css';
import './editor.css';
import { EditThing } from './edit-thing.ts';
import { ThingList } from './list.ts';
import { NewThing } from './new-thing.ts';

/** A file's name may have signs in it that addresses write otherwise. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Things: the list, adding one, and what the path names. */
export default function ThingsPage(): VNode {
  const thing = decoded(path.value.split('/')[3] ?? '');
  if (thing === '') return html`<${ThingList} />`;
  // no thing can be called so: it would be where new things are made
  if (thing === 'new') return html`<${NewThing} />`;
  return html`<${EditThing} key=${thing} thing=${thing} />`;
}
