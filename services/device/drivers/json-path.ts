import { Problem, shown } from '@ledge/contract';
import { z } from 'zod';

export type PathStep = string | number;

const STEP = /^(?:\.?([^.[\]'"]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\])/;
const MAX_STEPS = 16;

/** The steps of `ENERGY.Power`, `$.ENERGY.Power`, `sensors[0].value` or `$['a b']`; undefined when it is no path. `$` is the whole document. */
export function parsePath(path: string): PathStep[] | undefined {
  const steps: PathStep[] = [];
  let rest = path.replace(/^\$(?=$|[.[])/, '');
  while (rest !== '') {
    const found = STEP.exec(rest);
    if (!found || steps.length === MAX_STEPS) return undefined;
    const [text, name, index, single, double] = found;
    steps.push(index === undefined ? (name ?? single ?? double ?? '') : Number(index));
    rest = rest.slice(text.length);
  }
  return steps;
}

/** Where a value is in a JSON document. */
export const pathSchema = z
  .string()
  .max(200)
  .refine((path) => parsePath(path) !== undefined, 'a path such as ENERGY.Power or $.sensors[0].value is wanted')
  .meta({ description: 'where the value is in the JSON, such as ENERGY.Power or sensors[0].value' });

/** The value at `path`, or undefined when the document has none there. */
export function valueAt(document: unknown, path: string): unknown {
  let value = document;
  for (const step of parsePath(path) ?? []) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PathStep, unknown>)[step];
  }
  return value;
}

/** What `text` from `origin` says: its value at `path`, or the text itself when there is no path. */
export function extract(text: string, path: string | undefined, origin: string): unknown {
  if (path === undefined) return text.trim();
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new Problem('sensor-failed', `${origin} said ${shown(text)}; JSON is wanted, because the property has the path ${path}`, {
      cause,
    });
  }
  const value = valueAt(document, path);
  if (value === undefined || value === null) throw new Problem('sensor-failed', `${origin} has nothing at ${path}`);
  return value;
}
