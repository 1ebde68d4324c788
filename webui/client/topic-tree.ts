import type { StreamMessage } from '@ledge/contract';

/** What was last said on a topic. */
export interface TopicValue {
  payload: string;
  /** The payload is bytes, written in base64. */
  binary: boolean;
  /** Only its beginning is kept here. */
  cut: boolean;
  retained: boolean;
  /** When it came, in ms of the box's clock. */
  atMs: number;
}

/** A level of topics: a topic of its own, one above others, or both. */
export interface TopicNode {
  readonly topic: string;
  readonly name: string;
  readonly depth: number;
  readonly parent: TopicNode | undefined;
  readonly children: Map<string, TopicNode>;
  /** The children in order, while there is no new one. */
  inOrder: readonly TopicNode[] | undefined;
  value: TopicValue | undefined;
  /** Messages on this topic since it is listened to. */
  messages: number;
  /** Topics with a value here and below, and messages of all of them. */
  topicsBelow: number;
  messagesBelow: number;
}

/** A node as a line of the list, and which of how many on its level it is. */
export interface TopicRow {
  readonly node: TopicNode;
  readonly position: number;
  readonly siblings: number;
}

const byName = new Intl.Collator('en', { numeric: true });

/** So many topics are kept; of further ones only the number is known. */
export const MAX_TOPICS = 5000;
/** What is longer is cut: it is read, not kept. */
export const MAX_PAYLOAD_CHARACTERS = 20_000;

const newNode = (parent: TopicNode | undefined, name: string): TopicNode => ({
  topic: parent?.parent ? `${parent.topic}/${name}` : name,
  name,
  depth: parent ? parent.depth + 1 : -1,
  parent,
  children: new Map(),
  inOrder: undefined,
  value: undefined,
  messages: 0,
  topicsBelow: 0,
  messagesBelow: 0,
});

/** Topics as a tree of their levels, of bounded size however many there are. */
export class TopicTree {
  readonly root: TopicNode = newNode(undefined, '');
  /** Messages on topics for which there was no room. */
  cut = 0;

  take({ topic, payload, base64, retained }: StreamMessage, atMs: number): void {
    const node = this.#node(topic);
    if (!node) {
      this.cut += 1;
      return;
    }
    const before = node.value;
    const isNew = before === undefined;
    node.value = {
      payload: payload.slice(0, MAX_PAYLOAD_CHARACTERS),
      cut: payload.length > MAX_PAYLOAD_CHARACTERS,
      binary: base64 === true,
      // who listens already is not told whether a message is kept; the one that was kept still is
      retained: retained === true || before?.retained === true,
      atMs,
    };
    node.messages += 1;
    for (let up: TopicNode | undefined = node; up; up = up.parent) {
      up.messagesBelow += 1;
      if (isNew) up.topicsBelow += 1;
    }
    if (payload === '' && before?.retained) this.#forget(node);
  }

  /** The node of a topic, if it is known. */
  find(topic: string): TopicNode | undefined {
    let node: TopicNode | undefined = this.root;
    for (const name of topic.split('/')) node = node?.children.get(name);
    return node;
  }

  /** Rows that are seen: the tree, as far as it is unfolded, each level in order. */
  rows(unfolded: ReadonlySet<string>): TopicRow[] {
    const rows: TopicRow[] = [];
    const visit = (node: TopicNode) => {
      node.inOrder ??= [...node.children.values()].sort((a, b) => byName.compare(a.name, b.name));
      const children = node.inOrder;
      for (const [i, child] of children.entries()) {
        rows.push({ node: child, position: i + 1, siblings: children.length });
        if (child.children.size > 0 && unfolded.has(child.topic)) visit(child);
      }
    };
    visit(this.root);
    return rows;
  }

  #node(topic: string): TopicNode | undefined {
    let node = this.root;
    for (const name of topic.split('/')) {
      let next = node.children.get(name);
      if (!next) {
        if (this.root.topicsBelow >= MAX_TOPICS) return undefined;
        next = newNode(node, name);
        node.children.set(name, next);
        node.inOrder = undefined;
      }
      node = next;
    }
    return node.value === undefined && this.root.topicsBelow >= MAX_TOPICS ? undefined : node;
  }

  /** A retained value was cleared: the topic is none any more. */
  #forget(node: TopicNode): void {
    for (let up: TopicNode | undefined = node; up; up = up.parent) {
      up.topicsBelow -= 1;
      if (up.parent && up.topicsBelow === 0 && up.children.size === 0) {
        up.parent.children.delete(up.name);
        up.parent.inOrder = undefined;
      }
    }
    node.value = undefined;
  }
}
