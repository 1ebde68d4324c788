import { busyDashboard, heapGrowthMibPerHour, longTasksMs, PER_SECOND, THINGS } from '../acceptance/pages/endurance.ts';

const TRACE_MS = 30_000;
const HEAP_MS = 600_000;
const SETTLE_MS = 60_000;

/** The dashboard with many busy things: tasks that would be felt, and whether its memory grows. */
export async function benchPages(share: number, say: (line: string) => void): Promise<string> {
  const { page, close } = await busyDashboard();
  try {
    say(`dashboard of ${THINGS} things, ${PER_SECOND} changes a second each`);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS * share));
    const tasks = await longTasksMs(page, TRACE_MS);
    say(`its heap over ${Math.round((HEAP_MS * share) / 60_000)} min`);
    const growth = await heapGrowthMibPerHour(page, HEAP_MS * share, 11);
    return [
      '| Dashboard | |',
      '| --- | --- |',
      `| things, changes a second each | ${THINGS}, ${PER_SECOND} |`,
      `| longest task in 30 s | ${tasks.length === 0 ? 'under 50' : Math.max(...tasks).toFixed(0)} ms |`,
      `| growth of its heap | ${growth.toFixed(2)} MiB/h |`,
    ].join('\n');
  } finally {
    await close();
  }
}
