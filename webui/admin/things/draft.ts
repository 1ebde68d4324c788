import type { TrialReading } from '@ledge/contract';
import { type Signal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Api } from '../../client/api.ts';
import { useBox } from '../../components/box.ts';
import { confirmed } from '../../components/dialog.ts';
import { notifyProblem } from '../../components/notices.ts';
import { guardLeaving } from '../../router.ts';
import { words } from '../../words/words.ts';
import { type Mistake, mistakesOf } from './mistakes.ts';

/** How trying out ended: what was read, or why nothing could be. */
export type Trial = { readings: readonly TrialReading[] };

/** A thing file while somebody writes it. */
export class Draft {
  readonly text: Signal<string>;
  readonly mistakes: Signal<readonly Mistake[]> = signal([]);
  /** The mistakes are those of the present text. */
  readonly fresh: Signal<boolean> = signal(true);
  readonly busy: Signal<'testing' | 'saving' | undefined> = signal(undefined);
  readonly trial: Signal<Trial | undefined> = signal(undefined);
  /** Somebody else changed the file while it was written here. */
  readonly overtaken: Signal<boolean> = signal(false);
  readonly #api: Api;
  readonly #saved: Signal<string>;

  constructor(api: Api, saved: string, text = saved) {
    this.#api = api;
    this.#saved = signal(saved);
    this.text = signal(text);
  }

  get changed(): boolean {
    return this.text.value !== this.#saved.value;
  }

  edited(): void {
    this.fresh.value = false;
  }

  /** The file is another one now. What somebody has begun here stays, and they are told. */
  keptElsewhere(yaml: string): void {
    if (yaml === this.#saved.peek()) return;
    const begun = this.text.peek() !== this.#saved.peek();
    this.#saved.value = yaml;
    this.overtaken.value = begun && this.text.peek() !== yaml;
    if (!begun) this.text.value = yaml;
  }

  /** Another text, that is not somebody's own. */
  replace(text: string): void {
    this.text.value = text;
    this.overtaken.value = false;
    this.mistakes.value = [];
    this.trial.value = undefined;
  }

  /** Reads each property once; nothing is kept. */
  test(thing: string): Promise<boolean> {
    return this.#ask('testing', async (yaml) => {
      this.trial.value = undefined;
      this.trial.value = await this.#api.device.test({ params: { thing }, body: { yaml } });
    });
  }

  /** True when it is kept. */
  save(thing: string): Promise<boolean> {
    return this.#ask('saving', async (yaml) => {
      await this.#api.device.writeFile({ params: { thing }, body: { yaml } });
      this.#saved.value = yaml;
      this.overtaken.value = false;
    });
  }

  async #ask(busy: 'testing' | 'saving', task: (yaml: string) => Promise<void>): Promise<boolean> {
    if (this.busy.peek()) return false;
    this.busy.value = busy;
    try {
      await task(this.text.peek());
      this.mistakes.value = [];
      return true;
    } catch (error) {
      const mistakes = mistakesOf(error);
      if (mistakes) this.mistakes.value = mistakes;
      else notifyProblem(error);
      this.fresh.value = true;
      return false;
    } finally {
      this.busy.value = undefined;
    }
  }
}

/** A draft that is asked for before it is lost. */
export function useDraft(saved: string, text?: string): Draft {
  const { api } = useBox();
  const draft = useMemo(() => new Draft(api, saved, text), [api]);
  const { changed } = draft;
  useEffect(() => {
    if (!changed) return;
    const t = words('things').leave;
    // saved in this very moment, it is nothing to ask about
    return guardLeaving(async () => !draft.changed || confirmed({ title: t.title, text: t.text, action: t.action, danger: true }));
  }, [changed, draft]);
  return draft;
}
