import type { Qos } from './frames.ts';

class Node<T> {
  readonly children = new Map<string, Node<T>>();
  readonly holders = new Map<T, Qos>();
}

export interface Match<T> {
  holder: T;
  qos: Qos;
}

const ROUTES_MOST = 10_000;

/**
 * Who subscribed to what. A holder appears once per match, with the highest QoS of its matching filters ([MQTT-3.3.5-1]).
 * Matches are remembered per topic until a subscription changes, since most messages go where others went before.
 */
export class SubscriptionTrie<T> {
  readonly #root = new Node<T>();
  readonly #routes = new Map<string, readonly Match<T>[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(filter: string, holder: T, qos: Qos): void {
    let node = this.#root;
    for (const level of filter.split('/')) {
      let child = node.children.get(level);
      if (!child) {
        child = new Node<T>();
        node.children.set(level, child);
      }
      node = child;
    }
    if (!node.holders.has(holder)) this.#size += 1;
    node.holders.set(holder, qos);
    this.#routes.clear();
  }

  remove(filter: string, holder: T): void {
    const path: { parent: Node<T>; level: string; node: Node<T> }[] = [];
    let parent = this.#root;
    for (const level of filter.split('/')) {
      const node = parent.children.get(level);
      if (!node) return;
      path.push({ parent, level, node });
      parent = node;
    }
    if (!parent.holders.delete(holder)) return;
    this.#size -= 1;
    for (const step of path.reverse()) {
      if (step.node.children.size > 0 || step.node.holders.size > 0) break;
      step.parent.children.delete(step.level);
    }
    this.#routes.clear();
  }

  match(topic: string): readonly Match<T>[] {
    const known = this.#routes.get(topic);
    if (known) return known;
    const route = this.#search(topic);
    if (this.#routes.size >= ROUTES_MOST) this.#routes.clear();
    this.#routes.set(topic, route);
    return route;
  }

  #search(topic: string): readonly Match<T>[] {
    const found = new Map<T, Qos>();
    const collect = (node: Node<T> | undefined) => {
      for (const [holder, qos] of node?.holders ?? []) found.set(holder, Math.max(qos, found.get(holder) ?? 0) as Qos);
    };
    // [MQTT-4.7.2-1]: a leading wildcard does not match topics that begin with $
    let wildcards = !topic.startsWith('$');
    let nodes = [this.#root];
    for (const level of topic.split('/')) {
      const next: Node<T>[] = [];
      for (const node of nodes) {
        const named = node.children.get(level);
        if (named) next.push(named);
        if (!wildcards) continue;
        const any = node.children.get('+');
        if (any) next.push(any);
        collect(node.children.get('#'));
      }
      nodes = next;
      wildcards = true;
    }
    for (const node of nodes) {
      collect(node);
      // `a/#` matches `a` too: 4.7.1.2
      collect(node.children.get('#'));
    }
    return [...found].map(([holder, qos]) => ({ holder, qos }));
  }
}
