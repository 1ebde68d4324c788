import type { DoctorReport } from '@ledge/contract';
import { examine, Facts, plural, size, span } from '@ledge/doctor';
import { type ImportMistake, importMistakes, mistakeWords } from '@ledge/doctor/checks/import.ts';
import type { ProjectRelease } from '@ledge/host/linux/image-facts.ts';
import { readArguments } from '../arguments.ts';
import { beside, type Console, harmless, styled, table } from '../console.ts';
import { CliError, EXIT, type ExitCode } from '../error.ts';
import { askServer, boxId, pages, type ServerSays } from '../server.ts';
import { projectWords, type ServiceRow, shortCommit, VERSION, type World } from '../world.ts';
import { STYLES, summary } from './doctor.ts';

const HEAD_WIDTH = 10;
const PAGES_SHOWN = 3;
const MISTAKES_SHOWN = 3;

/** Everything that one screen tells, before the doctor has looked. */
interface Overview {
  id: string | undefined;
  name: string | undefined;
  version: string;
  commit?: string;
  project?: ProjectRelease;
  slot?: string;
  reason?: string;
  uptimeS?: number;
  pages: string[];
  setupNeeded: boolean;
  server: 'answers' | 'silent';
  services: ServiceRow[];
  /** Why there is no list. */
  servicesProblem?: string;
  mistakes: ImportMistake[];
}

export async function run(world: World, args: string[]): Promise<ExitCode> {
  const { values } = readArguments('status', args, { json: { type: 'boolean', default: false } });
  const { console, ports } = world;
  const facts = new Facts(ports);
  const overview = await look(world, facts);
  if (!values.json) print(console, overview);
  // what takes longest comes last
  const report = await examine(ports, { facts });
  if (values.json) console.line(JSON.stringify({ ...overview, doctor: { state: report.state, summary: summary(report) } }, undefined, 2));
  else printDoctor(console, report);
  return overview.servicesProblem === undefined ? EXIT.done : EXIT.away;
}

/** Undefined for what may not be seen: the screen then does without. */
const ifSeen = <T>(asked: Promise<T>): Promise<T | undefined> => asked.catch(() => undefined);

async function look(world: World, facts: Facts): Promise<Overview> {
  const [server, release, boot, uptimeS, onImage, mistakes, id] = await Promise.all([
    askServer(world),
    ifSeen(facts.release()),
    ifSeen(facts.boot()),
    ifSeen(facts.uptimeS()),
    ifSeen(facts.isImage()),
    ifSeen(importMistakes(facts)),
    boxId(world),
  ]);
  const { services, problem } = await servicesOf(world, server);
  return {
    id: id ?? server?.edge,
    name: server?.name,
    version: release?.version ?? server?.version ?? VERSION,
    ...(release?.commit ? { commit: release.commit } : {}),
    ...(release?.project ? { project: release.project } : {}),
    ...(boot?.slot ? { slot: boot.slot } : {}),
    ...(boot?.reason ? { reason: boot.reason } : {}),
    ...(uptimeS === undefined ? {} : { uptimeS }),
    pages: server ? pages(world, server, onImage ?? false) : [],
    setupNeeded: server?.setupNeeded ?? false,
    server: server ? 'answers' : 'silent',
    services,
    ...(problem === undefined ? {} : { servicesProblem: problem }),
    mistakes: mistakes ?? [],
  };
}

async function servicesOf(world: World, server: ServerSays | undefined): Promise<{ services: ServiceRow[]; problem?: string }> {
  try {
    const rows = await (await world.services()).list();
    // what runs is not always well: its health is the server's word
    return {
      services: rows.map((row) => {
        const health = server?.health[row.name];
        return row.state === 'running' && health !== undefined ? { ...row, state: health } : row;
      }),
    };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { services: [], problem: error.message };
  }
}

function print(console: Console, overview: Overview): void {
  const { id, name, version, commit, project, slot, reason, uptimeS } = overview;
  const say = (head: string, text: string) => {
    for (const line of beside(console, head.padEnd(HEAD_WIDTH), HEAD_WIDTH, text)) console.line(line);
  };
  console.line(styled(console, 'bold', harmless(name ? `${name}${id ? ` (${id})` : ''}` : (id ?? 'A new box'))));
  say(
    'Version',
    [
      `${version}${commit ? ` (${shortCommit(commit)})` : ''}`,
      ...(slot ? [`slot ${slot}${reason && reason !== 'normal' ? ` (${reason})` : ''}`] : []),
    ].join(', '),
  );
  if (project) say('Project', projectWords(project));
  say('Page', pageWords(overview));
  if (overview.setupNeeded) say('', 'open it in a browser, and choose a password');
  if (uptimeS !== undefined) say('Started', `${span(uptimeS)} ago`);
  console.line();
  if (overview.servicesProblem === undefined) printServices(console, overview.services);
  else say('Services', overview.servicesProblem);
  console.line();
  if (overview.mistakes.length > 0) {
    say('Card', `${plural(overview.mistakes.length, 'mistake')} in the files on the card; all are in ledge-report.txt there`);
    for (const mistake of overview.mistakes.slice(0, MISTAKES_SHOWN)) say('', mistakeWords(mistake));
  }
}

function pageWords({ pages: urls, server }: Overview): string {
  if (server === 'silent') return 'the server does not answer';
  return urls.slice(0, PAGES_SHOWN).join(' ') || 'no address yet: connect a cable, or Wi-Fi';
}

const GOOD = ['ready', 'running'];
const PASSING = ['starting', 'stopping', 'init', 'waiting'];

function printServices(console: Console, services: readonly ServiceRow[]): void {
  const rows = services.map(({ name, state, upS, memoryBytes, memoryLimitBytes, restarts, detail }) => [
    harmless(name),
    harmless(detail ? `${state} (${detail})` : state).slice(0, 36),
    upS === undefined ? '' : span(upS),
    memoryBytes === undefined ? '' : `${size(memoryBytes)}${memoryLimitBytes === undefined ? '' : ` of ${size(memoryLimitBytes)}`}`,
    restarts === undefined ? '' : String(restarts),
  ]);
  // a supervisor does not tell since when
  const shown = ['SERVICE', 'STATE', 'SINCE', 'MEMORY', 'RESTARTS']
    .map((title, column) => ({ title, column }))
    .filter(({ column }) => rows.some((row) => row[column]));
  const cells = [shown.map(({ title }) => title), ...rows.map((row) => shown.map(({ column }) => row[column] ?? ''))];
  const right = shown.flatMap(({ column }, index) => (column >= 3 ? [index] : []));
  const [head = '', ...lines] = table(cells, right);
  console.line(styled(console, 'dim', head));
  for (const [index, line] of lines.entries()) {
    const state = services[index]?.state ?? '';
    console.line(GOOD.includes(state) ? line : styled(console, PASSING.includes(state) ? 'yellow' : 'red', line));
  }
}

function printDoctor(console: Console, report: DoctorReport): void {
  const say = (head: string, text: string) => beside(console, head, HEAD_WIDTH, text);
  for (const line of say('Doctor'.padEnd(HEAD_WIDTH), summary(report))) console.line(line);
  for (const { state, title, seen } of report.checks.filter((check) => check.state === 'fault' || check.state === 'warning')) {
    const [first = '', ...more] = say(state.padEnd(HEAD_WIDTH), `${title}: ${seen}`);
    console.line(styled(console, STYLES[state], first.slice(0, HEAD_WIDTH)) + first.slice(HEAD_WIDTH));
    for (const line of more) console.line(line);
  }
  if (report.state !== 'ok') console.line(' '.repeat(HEAD_WIDTH) + styled(console, 'dim', 'ledge doctor tells what to do'));
}
