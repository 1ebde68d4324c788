/** `system/sdk/REFERENCE.md`, from the docstrings. */
import type { Declaration, Exported } from './declarations.ts';

interface Section {
  title: string;
  /** What it is about, in a sentence. */
  about: string;
  names: readonly string[];
}

const SECTIONS: readonly Section[] = [
  {
    title: 'A service',
    about: '`export default defineService({…})` in `services/<name>/service.ts`.',
    names: ['defineService', 'ServiceDefinition', 'ServiceContext', 'Running', 'main'],
  },
  {
    title: 'Things',
    about: '`context.things`: what is measured and moved, by name.',
    names: ['Things', 'ValueFacts', 'Value', 'Datatype', 'DeviceState'],
  },
  {
    title: 'An endpoint',
    about: '`context.api.handle(operation({…}), handler)`.',
    names: ['operation', 'Operation', 'Api', 'Handled', 'Call', 'Answer', 'Out', 'Caller', 'Method', 'Audience', 'Role', 'CallerRole'],
  },
  { title: 'Actions and tiles', about: 'Buttons on the admin page, and values on the dashboard.', names: ['Action', 'Actions', 'Tile'] },
  {
    title: 'Errors',
    about: 'Throw a `Problem`, and who asked is told.',
    names: ['Problem', 'ProblemCode', 'ProblemDocument', 'FieldError', 'PROBLEMS'],
  },
  {
    title: 'A driver',
    about: '`export default defineSensor({…})`, or `defineDriver({…})`, in `drivers/<name>.ts`.',
    names: [
      ...[
        'defineSensor',
        'Sensor',
        'ReadContext',
        'Nothing',
        'defineDriver',
        'Driver',
        'DriverThing',
        'DriverProperty',
        'PropertyConfig',
        'SamplingRules',
      ],
      ...['PropertyKey', 'OpenThing', 'DriverSink', 'polledThing', 'suggestion', 'SuggestedThing', 'Suggestion'],
      ...['DriverEnvironment', 'Processes', 'ChildProcessPort'],
    ],
  },
  {
    title: 'The bus, time, log and backup',
    about: 'What is below the rest.',
    names: [
      ...['Bus', 'Message', 'Payload', 'PublishOptions', 'EVENTS', 'EventKind', 'EventPayload', 'Clock', 'Random'],
      ...['Precious', 'PreciousItem', 'Received', 'PartFacts'],
    ],
  },
];
const TESTING: readonly Section[] = [
  {
    title: 'Testing a service',
    about: "From `@ledge/sdk/testing.ts`, beside vitest's own.",
    names: ['testService', 'TestedService', 'TestAnswer', 'SaidProperty', 'HomieProperty'],
  },
  {
    title: 'Testing a driver',
    about: 'From `@ledge/sdk/testing.ts`, too.',
    names: [
      ...['driverContract', 'ContractSetup', 'ContractProperty', 'driverEnvironment', 'TestEnvironment', 'kernelTree', 'readThing'],
      ...['contractThing', 'recordingSink', 'RecordedSink', 'fakeProcesses', 'FakeProcesses', 'FakeChild'],
    ],
  },
  { title: 'Time and the bus in a test', about: 'Both do only what the test says.', names: ['FakeClock', 'MemoryBus'] },
];

/** Names that are exported and in no section. */
export const unplaced = ({ sdk, testing }: { sdk: Exported; testing: Exported }): string[] => {
  const placed = new Set([...SECTIONS, ...TESTING].flatMap(({ names }) => names));
  return [...sdk.declarations, ...testing.declarations].map(({ name }) => name).filter((name) => !placed.has(name));
};

export function referenceText({ sdk, testing }: { sdk: Exported; testing: Exported }, version: string): string {
  const page = [
    '# @ledge/sdk: reference',
    `Version ${version}. Made from the docstrings by \`node tools/sdk/main.ts\`; the [tutorial](README.md) comes first.`,
    ...SECTIONS.flatMap((section) => sectionText(section, sdk)),
    '## From other packages',
    ...packagesText(sdk),
    ...TESTING.flatMap((section) => sectionText(section, testing)),
  ];
  return `${page.join('\n\n')}\n`;
}

function sectionText({ title, about, names }: Section, { declarations }: Exported): string[] {
  const here = names.map((name) => declarations.find((one) => one.name === name)).filter((one) => one !== undefined);
  return [`## ${title}`, about, ...here.flatMap(declarationText)];
}

function packagesText({ handedOn }: Exported): string[] {
  const packages = [...new Set(handedOn.map(({ from }) => from))].sort();
  const list = packages.map(
    (from) =>
      `- ${from}: ${handedOn
        .filter((one) => one.from === from)
        .map(({ name }) => `\`${name}\``)
        .join(', ')}`,
  );
  return [list.join('\n')];
}

function declarationText({ name, kind, head, doc, members }: Declaration): string[] {
  const signature = kind === 'const' && members.length > 0 ? [] : [`\`\`\`ts\n${head}\n\`\`\``];
  const list = members.map(({ text, doc: what }) =>
    kind === 'const' ? constantText(text, what) : `- **\`${text}\`**${what && `<br>${flat(what)}`}`,
  );
  return [`### ${name}`, ...signature, ...(doc ? [tagged(doc)] : []), ...(list.length > 0 ? [list.join('\n')] : [])];
}

/** `readonly 'not-found': readonly [404, "…"]` as `- not-found: 404, "…"`. */
function constantText(text: string, doc: string): string {
  const [, key = '', type = ''] = /^readonly '?([\w-]+)'?: (.*)$/.exec(text) ?? [];
  const plain = type
    .replace(/^readonly \[(.*)\]$/, '$1')
    .replace(/z\.ZodObject<(\{.*\}), z\.core\.\$strip>/, '$1')
    .replace(/z\.Zod(\w+)/g, (_all, word: string) => word.toLowerCase());
  return `- \`${key}\`: ${plain.startsWith('{') ? `\`${plain}\`` : plain}${doc && `. ${flat(doc)}`}`;
}

/** Tags of a docstring as paragraphs of their own. */
const tagged = (doc: string): string =>
  doc.replace(/\n@param (\w+) /g, '\n\n`$1`: ').replace(/\n@(returns|throws) /g, (_all, tag: string) => `\n\n${TAGS[tag]}: `);
const flat = (doc: string): string => tagged(`\n${doc}`).trim().replace(/\n\n/g, '<br>').replace(/\n/g, ' ');
const TAGS: Record<string, string> = { returns: 'Returns', throws: 'Throws' };
