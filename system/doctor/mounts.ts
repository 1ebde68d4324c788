/** One line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)). */
export interface Mount {
  /** Where it is mounted. */
  at: string;
  type: string;
  /** Device or what stands for it. */
  source: string;
  /** Options of the file system itself. A service's sandbox changes the options of its own mounts, never these. */
  options: readonly string[];
}

export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ', 2);
    const at = before?.split(' ')[4];
    const [type, source, options = ''] = after?.split(' ') ?? [];
    return at && type && source ? [{ at: plainPath(at), type, source: plainPath(source), options: options.split(',') }] : [];
  });
}

/** The mount that holds a path; of several at one place the last, which covers the others. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const holds = path === mount.at || path.startsWith(mount.at === '/' ? '/' : `${mount.at}/`);
    if (holds && mount.at.length >= (best?.at.length ?? 0)) best = mount;
  }
  return best;
}

/** Blanks and such are written as octal numbers. */
const plainPath = (text: string) => text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
