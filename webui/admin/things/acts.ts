import { signal } from '@preact/signals';
import type { Box } from '../../components/box.ts';
import { notify, notifyProblem } from '../../components/notices.ts';
import { words } from '../../words/words.ts';

/** Counts up when a file was changed from here: lists are asked for anew. */
export const changes = signal(0);
export const changed = (): void => {
  changes.value += 1;
};

/** Switches a thing off or on, and offers the way back. */
export async function enable({ api }: Box, thing: string, name: string, enabled: boolean): Promise<void> {
  const t = words('things');
  const set = async (to: boolean) => {
    await api.device.enable({ params: { thing }, body: { enabled: to } });
    changed();
  };
  try {
    await set(enabled);
    notify(enabled ? t.enabled(name) : t.disabled(name), () => void set(!enabled).catch(notifyProblem));
  } catch (error) {
    notifyProblem(error);
  }
}

/** Deletes a thing; taking it back writes its file again. True when it is gone. */
export async function remove({ api }: Box, thing: string, name: string): Promise<boolean> {
  const t = words('things');
  try {
    const { yaml } = await api.device.readFile({ params: { thing } });
    await api.device.remove({ params: { thing } });
    changed();
    const bringBack = async () => {
      await api.device.writeFile({ params: { thing }, body: { yaml } });
      changed();
    };
    notify(t.removed(name), () => void bringBack().catch(notifyProblem));
    return true;
  } catch (error) {
    notifyProblem(error);
    return false;
  }
}
