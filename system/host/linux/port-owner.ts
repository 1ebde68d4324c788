import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTEN = '0A'; // proc(5): tcp states, TCP_LISTEN

/** Finds the process that listens on a TCP port through `/proc` (proc(5)): the socket's inode, then who has it open. */
export async function linuxPortOwner(port: number, proc = '/proc'): Promise<string | undefined> {
  const inode = await listeningInode(port, proc);
  if (!inode) return undefined;
  for (const pid of (await readdir(proc)).filter((name) => /^\d+$/.test(name))) {
    const handles = await readdir(`${proc}/${pid}/fd`).catch(() => []);
    for (const handle of handles) {
      const target = await readlink(`${proc}/${pid}/fd/${handle}`).catch(() => '');
      if (target !== `socket:[${inode}]`) continue;
      const name = await readFile(`${proc}/${pid}/comm`, 'utf8').catch(() => 'a program');
      return `${name.trim()} (process ${pid})`;
    }
  }
  return undefined;
}

async function listeningInode(port: number, proc: string): Promise<string | undefined> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  for (const table of ['tcp', 'tcp6']) {
    const lines = (await readFile(`${proc}/net/${table}`, 'utf8').catch(() => '')).split('\n').slice(1);
    for (const line of lines) {
      const columns = line.trim().split(/\s+/);
      if (columns[1]?.endsWith(`:${wanted}`) && columns[3] === LISTEN) return columns[9];
    }
  }
  return undefined;
}
