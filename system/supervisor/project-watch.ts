import { type FSWatcher, watch } from 'node:fs';
import { Problem } from '@ledge/contract';
import { type BuiltProject, type Clock, PROJECT_FILE, readBuiltProject } from '@ledge/kit';

/** Whoever builds writes several files; what is there when it is quiet is what counts. */
const DEBOUNCE_MS = 50;

export interface ProjectWatchPorts {
  clock: Clock;
  onChange(project: BuiltProject): void;
  /** The folder is gone, or its list cannot be read; what ran before goes on. */
  onMistake(sentence: string): void;
}

/** Tells when a built project has been built again. */
export function watchBuiltProject(dir: string, { clock, onChange, onMistake }: ProjectWatchPorts): { stop(): void } {
  let cancel: (() => void) | undefined;
  const look = () => {
    try {
      onChange(readBuiltProject(dir));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      onMistake(error.message);
    }
  };
  const watcher: FSWatcher = watch(dir, (_, name) => {
    if (name !== PROJECT_FILE) return;
    cancel?.();
    cancel = clock.after(DEBOUNCE_MS, look);
  });
  watcher.on('error', (error) => onMistake(`${dir} is not watched any more: ${error.message}`));
  return {
    stop() {
      cancel?.();
      watcher.close();
    },
  };
}
