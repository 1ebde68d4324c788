import type { Preferences, Session as SessionInfo } from '@ledge/contract';
import { type Signal, signal } from '@preact/signals';
import type { Api } from './api.ts';
import type { Language } from './format.ts';
import { ApiProblem, sentenceOf } from './problem.ts';

export type Phase =
  | { kind: 'loading' }
  | { kind: 'unreachable'; reason: string }
  | { kind: 'setup' }
  /** `ended`: there was a session, and it is over. */
  | { kind: 'sign-in'; ended: boolean }
  | { kind: 'in'; session: SessionInfo; preferences: Preferences };

const RETRY_MS = 2000;

/** Who is at the page: nobody yet, somebody who must sign in, or somebody who is. */
export class Session {
  readonly phase: Signal<Phase> = signal({ kind: 'loading' });
  readonly edge: Signal<string> = signal('');
  readonly boxName: Signal<string> = signal('');
  readonly #api: Api;
  readonly #after: (ms: number, task: () => void) => () => void;

  constructor(api: Api, after: (ms: number, task: () => void) => () => void) {
    this.#api = api;
    this.#after = after;
  }

  /** Finds out, and tries again until the box answers. */
  async start(): Promise<void> {
    try {
      const { edge, name, setupNeeded } = await this.#api.server.health();
      this.edge.value = edge;
      this.boxName.value = name ?? edge;
      this.phase.value = setupNeeded ? { kind: 'setup' } : await this.#present();
    } catch (error) {
      this.phase.value = { kind: 'unreachable', reason: sentenceOf(error) };
      this.#after(RETRY_MS, () => void this.start());
    }
  }

  async #in(session: SessionInfo | Promise<SessionInfo>): Promise<Phase> {
    const [who, preferences] = await Promise.all([session, this.#api.server.preferences()]);
    return { kind: 'in', session: who, preferences };
  }

  async #present(): Promise<Phase> {
    try {
      return await this.#in(this.#api.server.session());
    } catch (error) {
      // the box's own display is known, but is nobody
      const isNobody = error instanceof ApiProblem && (error.code === 'not-signed-in' || error.code === 'not-allowed');
      if (isNobody) return { kind: 'sign-in', ended: false };
      throw error;
    }
  }

  /** First start: whoever is first chooses the password, and may name the box. The page goes on when {@link start} is called. */
  async setUp(answers: { password: string; name?: string; timeZone?: string; language?: Language }): Promise<void> {
    await this.#api.server.setup({ body: answers });
  }

  async signIn(name: string, password: string): Promise<void> {
    this.phase.value = await this.#in(await this.#api.server.login({ body: { name, password } }));
  }

  async signOut(): Promise<void> {
    await this.#api.server.logout().catch(() => undefined);
    this.phase.value = { kind: 'sign-in', ended: false };
  }

  /** The box no longer knows this session. */
  ended(): void {
    if (this.phase.peek().kind === 'in') this.phase.value = { kind: 'sign-in', ended: true };
  }
}
