/** The part of JSON Schema (2020-12) that forms are drawn from; zod writes it, and `unit` and `restart` are ours. */
export interface FieldSchema {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: readonly unknown[];
  const?: unknown;
  anyOf?: readonly FieldSchema[];
  items?: FieldSchema;
  properties?: Record<string, FieldSchema>;
  required?: readonly string[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  unit?: string;
  restart?: boolean;
  writeOnly?: boolean;
}

export type FieldKind = 'choice' | 'switch' | 'number' | 'secret' | 'text' | 'list' | 'json';

/** Out of `anyOf` the one branch that can be filled in; several values to choose from become an `enum`. */
function plain(schema: FieldSchema): FieldSchema {
  const branches = schema.anyOf?.filter(({ type }) => type !== 'null');
  if (!branches) return schema;
  if (branches.every((branch) => 'const' in branch)) return { ...schema, enum: branches.map((branch) => branch.const) };
  const [only] = branches;
  return branches.length === 1 && only ? { ...schema, ...plain(only) } : schema;
}

/** Which control a value wants. */
export function kindOf(schema: FieldSchema): FieldKind {
  const { type, enum: choices, items, writeOnly } = plain(schema);
  if (choices) return 'choice';
  if (type === 'boolean') return 'switch';
  if (type === 'number' || type === 'integer') return 'number';
  if (type === 'string') return writeOnly ? 'secret' : 'text';
  return type === 'array' && items?.type === 'string' ? 'list' : 'json';
}

export const choicesOf = (schema: FieldSchema): readonly string[] => plain(schema).enum?.map(String) ?? [];

/** Smallest and largest number that are wanted; the wholes that zod writes for safe integers say nothing to people. */
export function limitsOf(schema: FieldSchema): { min?: number; max?: number } {
  const { minimum, maximum } = plain(schema);
  const told = (limit: number | undefined) => limit !== undefined && Math.abs(limit) < Number.MAX_SAFE_INTEGER;
  return { ...(told(minimum) ? { min: minimum as number } : {}), ...(told(maximum) ? { max: maximum as number } : {}) };
}

/** A value as its control holds it: text for everything that is typed. */
export function inputOf(schema: FieldSchema, value: unknown): string | boolean {
  switch (kindOf(schema)) {
    case 'switch':
      return value === true;
    case 'list':
      return Array.isArray(value) ? value.join('\n') : '';
    case 'json':
      return value === undefined ? '' : JSON.stringify(value, undefined, 2);
    default:
      return value === undefined || value === null ? '' : String(value);
  }
}

/** What is wrong with an input, before the box is asked. */
export type InputFault = { kind: 'number' | 'whole' | 'json' } | { kind: 'min' | 'max'; limit: number };

/** The value that an input stands for, or what is wrong with it. */
export function valueFor(schema: FieldSchema, input: string | boolean): { value: unknown } | { fault: InputFault } {
  const text = String(input);
  switch (kindOf(schema)) {
    case 'switch':
      return { value: input };
    case 'number':
      return numberOf(schema, text);
    case 'choice':
      return { value: plain(schema).enum?.find((choice) => String(choice) === text) };
    case 'list': {
      const lines = text.split('\n').map((line) => line.trim());
      return { value: lines.filter((line) => line !== '') };
    }
    case 'json':
      try {
        return { value: JSON.parse(text) as unknown };
      } catch {
        return { fault: { kind: 'json' } };
      }
    default:
      return { value: text };
  }
}

function numberOf(schema: FieldSchema, text: string): { value: number } | { fault: InputFault } {
  const value = Number(text.trim().replace(',', '.'));
  const { min, max } = limitsOf(schema);
  if (text.trim() === '' || !Number.isFinite(value)) return { fault: { kind: 'number' } };
  if (plain(schema).type === 'integer' && !Number.isInteger(value)) return { fault: { kind: 'whole' } };
  if (min !== undefined && value < min) return { fault: { kind: 'min', limit: min } };
  if (max !== undefined && value > max) return { fault: { kind: 'max', limit: max } };
  return { value };
}
