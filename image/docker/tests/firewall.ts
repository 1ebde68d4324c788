import { run } from '../../run.ts';

const TABLES = ['filter', 'nat'] as const;
const DOCKERS = /^DOCKER(-|$)/;

/**
 * What Docker changes of the firewall, as it is before: it leaves its chains behind, and a policy that forwards nothing.
 * `restore` takes its chains away, unless they were there.
 */
export async function firewallNow(): Promise<{ restore(): Promise<void> }> {
  const before = await Promise.all(TABLES.map(rulesOf));
  if (before.some((lines) => lines.some((line) => DOCKERS.test(line[1] ?? '')))) return { restore: async () => {} };
  return {
    async restore() {
      for (const [index, table] of TABLES.entries()) {
        const policies = (before[index] ?? []).filter(([verb]) => verb === '-P');
        await clear(table, policies);
      }
    },
  };
}

async function clear(table: string, policies: readonly string[][]): Promise<void> {
  const lines = await rulesOf(table);
  const chains = lines.filter(([verb, chain]) => verb === '-N' && DOCKERS.test(chain ?? '')).map(([, chain]) => chain ?? '');
  const leading = lines.filter(([verb, , ...rule]) => verb === '-A' && chains.includes(rule[rule.indexOf('-j') + 1] ?? ''));
  const commands = [
    ...policies,
    ...leading.map(([, ...rule]) => ['-D', ...rule]),
    ...chains.map((chain) => ['-F', chain]),
    ...chains.map((chain) => ['-X', chain]),
  ];
  for (const command of commands) await run('iptables', ['-t', table, ...command]).catch(() => {}); // it may be gone
}

/** iptables(8), --list-rules: each line is an argument list of its own. */
const rulesOf = (table: string): Promise<string[][]> =>
  run('iptables', ['-t', table, '-S']).then(
    (text) =>
      text
        .trim()
        .split('\n')
        .map((line) => line.split(' ')),
    () => [],
  );
