import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { run } from '../../run.ts';
import type { Result } from './root-shell.ts';

/** A key pair of this run. */
export interface SshKey {
  file: string;
  /** The line for `authorized_keys`. */
  line: string;
  remove(): void;
}

export async function makeSshKey(): Promise<SshKey> {
  const folder = mkdtempSync(join(tmpdir(), 'ledge-ssh-'));
  const file = join(folder, 'key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'vm-tests', '-f', file]);
  return { file, line: readFileSync(`${file}.pub`, 'utf8').trim(), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Signs in as a person does and runs a command; 255 is ssh's own failure, with its words in `err`. */
export async function ssh(port: number, key: SshKey, user: string, command: string): Promise<Result> {
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes', 'ConnectTimeout=30'];
  const args = ['-F', '/dev/null', '-i', key.file, '-p', String(port), ...options.flatMap((option) => ['-o', option])];
  const child = spawn('ssh', [...args, `${user}@127.0.0.1`, command], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}
