import type { DoctorCheck, DoctorReport } from '@ledge/contract';
import { examine, IMAGE_ONLY, plural } from '@ledge/doctor';
import { readArguments } from '../arguments.ts';
import { beside, type Console, type Style, styled } from '../console.ts';
import { EXIT, type ExitCode } from '../error.ts';
import type { World } from '../world.ts';

/** What needs a person comes last, where the eye is. */
const ORDER: readonly DoctorCheck['state'][] = ['ok', 'skipped', 'warning', 'fault'];
export const STYLES: Record<DoctorCheck['state'], Style> = { ok: 'green', skipped: 'dim', warning: 'yellow', fault: 'red' };
const STATE_WIDTH = 9;
const TITLE_WIDTH = 24;

export async function run({ console, ports }: World, args: string[]): Promise<ExitCode> {
  const { values } = readArguments('doctor', args, { json: { type: 'boolean', default: false } });
  const report = await examine(ports);
  if (values.json) console.line(JSON.stringify(report, undefined, 2));
  else print(console, report);
  return report.state === 'fault' ? EXIT.failed : EXIT.done;
}

function print(console: Console, report: DoctorReport): void {
  for (const state of ORDER) {
    for (const check of grouped(report.checks.filter((one) => one.state === state))) printCheck(console, check);
  }
  console.line();
  console.line(styled(console, 'bold', summary(report)));
}

/** On a PC most checks have nothing to look at, and one line says so. */
function grouped(checks: readonly DoctorCheck[]): DoctorCheck[] {
  const [first, ...others] = checks.filter(({ state, seen }) => state === 'skipped' && seen === IMAGE_ONLY);
  if (!first || others.length === 0) return [...checks];
  const title = plural(others.length + 1, 'other check');
  return [...checks.filter(({ seen }) => seen !== IMAGE_ONLY), { ...first, title, seen: 'only the card image has what they look at' }];
}

function printCheck(console: Console, { state, title, seen, wanted, hint }: DoctorCheck): void {
  const head = state.padEnd(STATE_WIDTH);
  const [first = '', ...more] = beside(console, `${head}${title.padEnd(TITLE_WIDTH)}`, STATE_WIDTH + TITLE_WIDTH, seen);
  console.line(styled(console, STYLES[state], head) + first.slice(STATE_WIDTH));
  for (const line of more) console.line(line);
  if (state === 'ok' || state === 'skipped') return;
  for (const [word, text] of [
    ['wanted: ', wanted],
    ['do: ', hint],
  ] as const) {
    if (text)
      for (const line of beside(console, ' '.repeat(STATE_WIDTH) + word.padEnd(TITLE_WIDTH), STATE_WIDTH + TITLE_WIDTH, text))
        console.line(line);
  }
}

/** `1 fault, 2 warnings, 27 checks ok, 3 skipped`. */
export function summary({ checks }: DoctorReport): string {
  const count = (state: DoctorCheck['state']) => checks.filter((check) => check.state === state).length;
  const words = (number: number, one: string) => (number === 0 ? [] : [`${number} ${one}${number === 1 ? '' : 's'}`]);
  return [
    ...words(count('fault'), 'fault'),
    ...words(count('warning'), 'warning'),
    `${count('ok')} ok`,
    `${count('skipped')} skipped`,
  ].join(', ');
}
