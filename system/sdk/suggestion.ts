import { stringify } from 'yaml';
import type { Suggestion } from './driver.ts';

/** A thing as its file would say it. */
export interface SuggestedThing {
  /** What people read. */
  name: string;
  /** The driver's own name. */
  driver: string;
  /** The driver's own options. */
  options?: object;
  /** For example `{ every: '30s' }`. */
  sample?: object;
  /** By id, each as a thing file says it: `{ temperature: { datatype: 'float', unit: '°C' } }`. */
  properties: Record<string, object>;
}

/** A thing that was found, as the file that it would be. */
export const suggestion = (title: string, thing: SuggestedThing): Suggestion => ({ title, yaml: stringify(thing, { lineWidth: 0 }) });
