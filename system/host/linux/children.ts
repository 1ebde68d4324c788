import { readFile } from 'node:fs/promises';

/** Children of a process; none where the kernel does not tell (proc(5), /proc/[pid]/task/[tid]/children). */
export async function childrenOf(pid: number, proc = '/proc'): Promise<number[]> {
  const text = await readFile(`${proc}/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}
