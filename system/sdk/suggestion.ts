import { stringify } from 'yaml';
import type { Suggestion } from './driver.ts';

interface SuggestedThing {
  name: string;
  driver: string;
  options?: object;
  sample?: object;
  properties: Record<string, object>;
}

/** A thing that was found, as the file that it would be. */
export const suggestion = (title: string, thing: SuggestedThing): Suggestion => ({ title, yaml: stringify(thing, { lineWidth: 0 }) });
