/**
 * Every topic that Ledge says or hears is built and parsed here; nowhere else is a topic glued from strings.
 * Filters and matching follow MQTT 3.1.1, section 4.7.
 */

/** Homie 5, "Topic IDs": lower-case letters, digits and hyphens, not beginning or ending with a hyphen. */
export const ID_PATTERN = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** MQTT-4.7.3-3: a topic is at most 65,535 bytes of UTF-8; deeper trees than this are refused by our broker. */
export const MAX_TOPIC_LEVELS = 32;
export const MAX_TOPIC_BYTES = 1024;

export interface PropertyAddress {
  thing: string;
  node: string;
  property: string;
}

/** Topics of one box. `edge` is its id, for example `ledge-a1b2c3d4`, and also its Homie domain. */
export const topics = {
  /** Homie 5: `<domain>/5/<device>/$state`. Retained. */
  state: (edge: string, thing: string) => `${edge}/5/${thing}/$state`,
  /** Homie 5: `<domain>/5/<device>/$description`. Retained JSON. */
  description: (edge: string, thing: string) => `${edge}/5/${thing}/$description`,
  /** Homie 5: `<domain>/5/<device>/$log/<level>`. Not retained. */
  log: (edge: string, thing: string, level: string) => `${edge}/5/${thing}/$log/${level}`,
  /** Homie 5: `<domain>/5/<device>/$alert/<id>`. Retained while the alert stands. */
  alert: (edge: string, thing: string, alert: string) => `${edge}/5/${thing}/$alert/${alert}`,
  property: (edge: string, a: PropertyAddress) => `${edge}/5/${a.thing}/${a.node}/${a.property}`,
  target: (edge: string, a: PropertyAddress) => `${edge}/5/${a.thing}/${a.node}/${a.property}/$target`,
  set: (edge: string, a: PropertyAddress) => `${edge}/5/${a.thing}/${a.node}/${a.property}/set`,
  /** The history stream: JSON {@link import('./readings.ts').Reading}, QoS 1, not retained. */
  reading: (edge: string, a: PropertyAddress) => `${edge}/reading/${a.thing}/${a.node}/${a.property}`,
  /** Registry record of a service. Retained, with a will. */
  service: (edge: string, name: string) => `${edge}/service/${name}`,
  event: (edge: string, kind: string) => `${edge}/event/${kind}`,
  homeAssistantDiscovery: (id: string, prefix = 'homeassistant') => `${prefix}/device/${id}/config`,
  homeAssistantStatus: (prefix = 'homeassistant') => `${prefix}/status`,
} as const;

/** Filters that our own services subscribe to. */
export const filters = {
  everything: (edge: string) => `${edge}/#`,
  things: (edge: string) => `${edge}/5/#`,
  commands: (edge: string) => `${edge}/5/+/+/+/set`,
  descriptions: (edge: string) => `${edge}/5/+/$description`,
  readings: (edge: string) => `${edge}/reading/+/+/+`,
  services: (edge: string) => `${edge}/service/+`,
  events: (edge: string) => `${edge}/event/+`,
} as const;

export type ParsedTopic =
  | { kind: 'state' | 'description'; edge: string; thing: string }
  | ({ kind: 'property' | 'set' | 'target'; edge: string } & PropertyAddress)
  | ({ kind: 'reading'; edge: string } & PropertyAddress)
  | { kind: 'service'; edge: string; name: string }
  | { kind: 'event'; edge: string; event: string }
  | { kind: 'other' };

/** Says what a topic is. Topics that are not ours come back as `{ kind: 'other' }`. */
export function parseTopic(topic: string): ParsedTopic {
  const [edge, branch, a, b, c, d, ...rest] = topic.split('/');
  if (!edge || !branch || !a || rest.length > 0) return { kind: 'other' };
  if (branch === 'service' && b === undefined) return { kind: 'service', edge, name: a };
  if (branch === 'event' && b === undefined) return { kind: 'event', edge, event: a };
  if (branch === 'reading' && b && c && d === undefined) return { kind: 'reading', edge, thing: a, node: b, property: c };
  if (branch !== '5' || !b) return { kind: 'other' };
  if (c === undefined) {
    if (b === '$state') return { kind: 'state', edge, thing: a };
    if (b === '$description') return { kind: 'description', edge, thing: a };
    return { kind: 'other' };
  }
  if (b.startsWith('$')) return { kind: 'other' };
  const address = { edge, thing: a, node: b, property: c };
  if (d === undefined) return { kind: 'property', ...address };
  if (d === 'set') return { kind: 'set', ...address };
  if (d === '$target') return { kind: 'target', ...address };
  return { kind: 'other' };
}

const byteLength = (text: string) => new TextEncoder().encode(text).length;

function levelsFault(text: string, what: string): string | undefined {
  if (text.length === 0) return `an empty ${what}`;
  if (text.includes('\0')) return `a ${what} with a zero character`;
  if (byteLength(text) > MAX_TOPIC_BYTES) return `a ${what} longer than ${MAX_TOPIC_BYTES} bytes`;
  if (text.split('/').length > MAX_TOPIC_LEVELS) return `a ${what} deeper than ${MAX_TOPIC_LEVELS} levels`;
  return undefined;
}

/** What is wrong with a topic name to publish to, or undefined. MQTT 3.1.1, 4.7.1: no wildcards in names. */
export function topicFault(topic: string): string | undefined {
  if (/[+#]/.test(topic)) return 'a topic with a wildcard';
  return levelsFault(topic, 'topic');
}

/** What is wrong with a topic filter to subscribe to, or undefined. MQTT-4.7.1-2 and 4.7.1-3. */
export function filterFault(filter: string): string | undefined {
  const levels = filter.split('/');
  for (const [i, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || i !== levels.length - 1)) return 'a # that is not the whole last level';
    if (level.includes('+') && level !== '+') return 'a + that is not a whole level';
  }
  return levelsFault(filter, 'topic filter');
}

/** Does a topic match a filter? MQTT-4.7.2-1: a leading wildcard does not match topics that begin with `$`. */
export function topicMatches(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false;
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true;
    if (i >= levels.length) return false;
    if (level !== '+' && level !== levels[i]) return false;
  }
  return wanted.length === levels.length;
}

/** Does `wide` match every topic that `narrow` matches? */
export function filterCovers(wide: string, narrow: string): boolean {
  const w = wide.split('/');
  const n = narrow.split('/');
  if (narrow.startsWith('$') && (w[0] === '+' || w[0] === '#')) return false;
  for (const [i, level] of w.entries()) {
    if (level === '#') return true;
    const other = n[i];
    if (other === undefined || other === '#') return false;
    if (level !== '+' && level !== other) return false;
  }
  return w.length === n.length;
}

/** Do two filters have a topic in common? */
export function filtersOverlap(a: string, b: string): boolean {
  const left = a.split('/');
  const right = b.split('/');
  for (let i = 0; ; i++) {
    const l = left[i];
    const r = right[i];
    if (l === '#' || r === '#') return true;
    if (l === undefined || r === undefined) return l === r;
    if (l !== '+' && r !== '+' && l !== r) return false;
  }
}
