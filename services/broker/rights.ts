import { type AccessRule, mayPublish, mayReceive, maySubscribe } from '@ledge/contract';

const REMEMBERED_MOST = 5000;

/** The rules of one account, shared by all its connections. Replacing them counts at once; answers per topic are remembered until then. */
export class Rights {
  #rules: readonly AccessRule[];
  readonly #publish = new Map<string, boolean>();
  readonly #receive = new Map<string, boolean>();

  constructor(rules: readonly AccessRule[]) {
    this.#rules = rules;
  }

  get rules(): readonly AccessRule[] {
    return this.#rules;
  }
  set rules(rules: readonly AccessRule[]) {
    this.#rules = rules;
    this.#publish.clear();
    this.#receive.clear();
  }

  mayPublish(topic: string): boolean {
    return remembered(this.#publish, topic, () => mayPublish(this.#rules, topic));
  }
  mayReceive(topic: string): boolean {
    return remembered(this.#receive, topic, () => mayReceive(this.#rules, topic));
  }
  maySubscribe(filter: string): boolean {
    return maySubscribe(this.#rules, filter);
  }
}

function remembered(answers: Map<string, boolean>, topic: string, ask: () => boolean): boolean {
  const known = answers.get(topic);
  if (known !== undefined) return known;
  if (answers.size >= REMEMBERED_MOST) answers.clear();
  const answer = ask();
  answers.set(topic, answer);
  return answer;
}
