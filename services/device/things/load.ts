import {
  DEFAULT_NODE,
  type FieldError,
  fieldErrors,
  ID_PATTERN,
  type NodeConfig,
  Problem,
  type PropertyConfig,
  type Sampling,
  samplingSchema,
  shown,
  TAKEN_THINGS,
  thingSchema,
} from '@ledge/contract';
import type { Driver, PropertyKey as Key } from '@ledge/sdk';
import { type Document, isCollection, isMap, isPair, isScalar, Lexer, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';

/** YAML of a few KiB can take all memory when it is read (`[[[[…`): so many words and signs are more than a thing of 2000 properties has. */
const MAX_TOKENS = 40_000;
/** What is binary or quite another format has thousands of mistakes; the first ones help. */
const MAX_MISTAKES = 10;
const MAX_MISTAKE_CHARACTERS = 300;

/** One property of a thing, with everything that was said above it already applied. */
export interface ThingProperty {
  key: Key;
  node: string;
  property: string;
  name: string;
  config: PropertyConfig;
  /** As the driver's `source` schema gave it. */
  source: unknown;
  sampling: Sampling;
}

/** A thing as its file says it, checked by the contract and by its driver. */
export interface ThingConfig {
  id: string;
  name: string;
  driver: Driver;
  room: string | undefined;
  enabled: boolean;
  /** As the driver's `options` schema gave them. */
  options: unknown;
  nodes: { id: string; name: string; type: string | undefined }[];
  properties: ThingProperty[];
  /** Path of the file, or null for a thing that Ledge made itself. */
  file: string | null;
}

/** A mistake in a thing file, with its place. */
export interface ThingMistake {
  file: string;
  line?: number;
  key?: string;
  message: string;
}

/** Problem `thing-invalid` with the place of each mistake. */
export class InvalidThing extends Problem {
  readonly mistakes: ThingMistake[];

  constructor(all: ThingMistake[], cause?: unknown) {
    const mistakes = all.slice(0, MAX_MISTAKES);
    const errors: FieldError[] = mistakes.map(({ key, line, message }) => ({
      field: key ?? '',
      message: line === undefined ? message : `line ${line}: ${message}`,
      ...(line === undefined ? {} : { line }),
    }));
    super('thing-invalid', mistakes.map(sentence).join('; '), { errors, cause });
    this.mistakes = mistakes;
  }
}

const sentence = ({ file, line, message }: ThingMistake) => `${file}${line === undefined ? '' : ` line ${line}`}: ${message}`;

type Path = readonly PropertyKey[];

/** The node at a path, or the deepest one above it that the file has. A missing key is wanted where its parent is. */
function nearestOffset(document: Document, path: Path): number | undefined {
  let node = document.contents as Node | null;
  let offset = node?.range?.[0];
  for (const step of path) {
    if (!isCollection(node)) break;
    const pair = isMap(node)
      ? node.items.find((item) => isPair(item) && String(isScalar(item.key) ? item.key.value : item.key) === String(step))
      : undefined;
    if (pair) {
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
      continue;
    }
    const next = node.get(step, true) as Node | undefined;
    if (!next) break;
    node = next;
    offset = node.range?.[0] ?? offset;
  }
  return offset;
}

interface Place {
  file: string;
  document: Document;
  lines: LineCounter;
}

/** zod's issues as mistakes. `base` is the path of what was parsed within the document. */
function mistakesOf(place: Place, base: Path, error: z.core.$ZodError, input: unknown): ThingMistake[] {
  const said = fieldErrors(error, input);
  return error.issues.map((issue, i) => {
    const extra = issue.code === 'unrecognized_keys' ? [issue.keys[0] ?? ''] : [];
    const path = [...base, ...issue.path, ...extra];
    const prefix = base.length > 0 && said[i]?.field ? `${base.join('.')}.` : '';
    return mistakeAt(place, path, `${prefix}${said[i]?.message ?? issue.message}`);
  });
}

function mistakeAt({ file, document, lines }: Place, path: Path, message: string): ThingMistake {
  const offset = nearestOffset(document, path);
  return { file, ...(offset === undefined ? {} : { line: lines.linePos(offset).line }), key: path.join('.'), message };
}

function taken<S extends z.ZodType>(place: Place, schema: S, input: unknown, base: Path = []): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new InvalidThing(mistakesOf(place, base, result.error, input), result.error);
}

function refuse(place: Pick<Place, 'file'>, message: string, cause?: unknown): never {
  throw new InvalidThing([{ file: place.file, message }], cause);
}

/** Parses the text, and gives what it says as plain data: a tree without cycles, of bounded size. */
function readYaml(file: string, yaml: string): { place: Place; content: unknown } {
  let tokens = 0;
  for (const _ of new Lexer().lex(yaml)) {
    if (++tokens > MAX_TOKENS) refuse({ file }, `the file has more than ${MAX_TOKENS} words and signs; several smaller things are wanted`);
  }
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const [first] = document.errors;
  if (first) {
    throw new InvalidThing(
      document.errors.map((e) => ({ file, line: lines.linePos(e.pos[0]).line, message: e.message.slice(0, MAX_MISTAKE_CHARACTERS) })),
      first,
    );
  }
  const place = { file, document, lines };
  try {
    const content: unknown = document.toJS();
    JSON.stringify(content); // finds an alias within its own anchor
    return { place, content };
  } catch (cause) {
    return refuse(place, `its aliases (*) cannot be followed: ${(cause as Error).message.split('\n')[0]}`, cause);
  }
}

/** Where the file says a property: directly, or below its node. */
const pathOf = (direct: boolean, node: string, property: string) =>
  direct ? ['properties', property] : ['nodes', node, 'properties', property];

/**
 * Reads a thing from YAML.
 * @param id the thing's id, which is also the file's name
 * @param file what mistakes call the file; null for a built-in thing
 * @throws InvalidThing with file, line, key, value and what was wanted
 */
export function parseThing(id: string, yaml: string, file: string | null, drivers: ReadonlyMap<string, Driver>): ThingConfig {
  const name = file ?? `${id}.yaml`;
  if (!ID_PATTERN.test(id) || id.length > 64) {
    refuse({ file: name }, `the file's name is ${shown(id)}; lower-case letters, digits and hyphens are wanted, such as living-room.yaml`);
  }
  if (TAKEN_THINGS.includes(id)) refuse({ file: name }, `the thing ${id} is said by another service; another name for the file is wanted`);
  const { place, content } = readYaml(name, yaml);
  const thing = taken(place, thingSchema, content);
  const driver = drivers.get(thing.driver);
  if (!driver) {
    const message = `driver is ${shown(thing.driver)}; one of ${[...drivers.keys()].join(', ')} is wanted`;
    throw new InvalidThing([mistakeAt(place, ['driver'], message)]);
  }
  const options = taken(place, driver.options, thing.options, ['options']);
  const direct = thing.properties !== undefined;
  const nodes: Record<string, NodeConfig> = thing.nodes ?? { [DEFAULT_NODE]: { properties: thing.properties ?? {} } };
  const properties: ThingProperty[] = [];
  for (const [node, { properties: group }] of Object.entries(nodes)) {
    for (const [property, config] of Object.entries(group)) {
      const path = pathOf(direct, node, property);
      if (config.min !== undefined && config.max !== undefined && config.min > config.max) {
        throw new InvalidThing([
          mistakeAt(place, [...path, 'min'], `${path.join('.')}.min is ${config.min}; ${config.max} or less, the max, is wanted`),
        ]);
      }
      properties.push({
        key: `${node}/${property}`,
        node,
        property,
        name: config.name ?? property,
        config,
        source: taken(place, driver.source, config.source, [...path, 'source']),
        sampling: samplingSchema.parse({ ...thing.sample, ...config.sample }),
      });
    }
  }
  if (properties.length === 0)
    throw new InvalidThing([mistakeAt(place, ['properties'], 'properties is empty; at least one property is wanted')]);
  return {
    id,
    name: thing.name ?? id,
    driver,
    room: thing.room,
    enabled: thing.enabled,
    options,
    nodes: Object.entries(nodes).map(([node, { name, type }]) => ({ id: node, name: name ?? node, type })),
    properties,
    file,
  };
}
