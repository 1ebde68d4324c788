import { z } from 'zod';

const PLACEHOLDER = '{value}';

const structure = z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]);
export const templateSchema = z
  .union([z.string().max(4000), structure])
  .meta({ description: 'what is sent: text or JSON in which {value} stands for the value' });
export type Template = z.infer<typeof templateSchema>;

export interface Rendered {
  text: string;
  json: boolean;
}

const isStructure = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** The JSON that a text means, with {value} inside or outside of quotes; undefined when it is plain text. */
function asStructure(text: string): object | undefined {
  for (const candidate of [text, text.replaceAll(PLACEHOLDER, JSON.stringify(PLACEHOLDER))]) {
    try {
      const parsed: unknown = JSON.parse(candidate);
      if (isStructure(parsed)) return parsed;
    } catch {
      // plain text, or the other candidate
    }
  }
  return undefined;
}

const asText = (value: unknown) => (isStructure(value) ? JSON.stringify(value) : String(value));

function fill(part: unknown, value: unknown): unknown {
  if (part === PLACEHOLDER) return value;
  if (typeof part === 'string') return part.replaceAll(PLACEHOLDER, () => asText(value));
  if (Array.isArray(part)) return part.map((item) => fill(item, value));
  if (isStructure(part)) return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, fill(item, value)]));
  return part;
}

/** Puts a value into a template. JSON is filled as data and written once, so no value can break out of its place. */
export function render(template: Template, value: unknown): Rendered {
  const structured = typeof template === 'string' ? asStructure(template) : template;
  if (structured) return { text: JSON.stringify(fill(structured, value)), json: true };
  return { text: String(template).replaceAll(PLACEHOLDER, () => asText(value)), json: false };
}
