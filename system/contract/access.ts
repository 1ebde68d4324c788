import { z } from 'zod';
import { filterCovers, filterFault, filters, filtersOverlap, topicMatches, topics } from './topics.ts';

/**
 * One access rule: what a topic filter may be used for. `deny` wins over every other rule, as in mosquitto's acl file,
 * so that both engines can be given the same list.
 */
export const accessRuleSchema = z.object({
  filter: z
    .string()
    .refine((f) => filterFault(f) === undefined, 'a topic filter such as garden/# is wanted')
    .meta({ description: 'MQTT topic filter, for example `garden/#`' }),
  access: z.enum(['publish', 'subscribe', 'both', 'deny']),
});
export type AccessRule = z.infer<typeof accessRuleSchema>;

/** Of a person or a token: `admin` changes things, `viewer` only looks. */
export type Role = 'admin' | 'viewer';
export const roleSchema = z.enum(['admin', 'viewer']).meta({ description: 'admin changes things, viewer only looks' });

/** Who may ask: a person or token by their role, or the box's own display, which sees a page of things and nothing else. */
export type CallerRole = Role | 'kiosk';
export const callerRoleSchema = z
  .enum([...roleSchema.options, 'kiosk'])
  .meta({ description: "admin changes things, viewer only looks, kiosk is the box's own display" });

const allows = (rule: AccessRule, access: 'publish' | 'subscribe') => rule.access === access || rule.access === 'both';

export function mayPublish(rules: readonly AccessRule[], topic: string): boolean {
  if (rules.some((r) => r.access === 'deny' && topicMatches(r.filter, topic))) return false;
  return rules.some((r) => allows(r, 'publish') && topicMatches(r.filter, topic));
}

/** May this message be delivered to a holder of these rules? */
export function mayReceive(rules: readonly AccessRule[], topic: string): boolean {
  if (rules.some((r) => r.access === 'deny' && topicMatches(r.filter, topic))) return false;
  return rules.some((r) => allows(r, 'subscribe') && topicMatches(r.filter, topic));
}

/**
 * May this filter be subscribed to? Only when one rule covers all of it and no denied filter is wholly it;
 * topics of an overlapping denied filter are held back at delivery by {@link mayReceive}.
 */
export function maySubscribe(rules: readonly AccessRule[], filter: string): boolean {
  if (rules.some((r) => r.access === 'deny' && filterCovers(r.filter, filter))) return false;
  return rules.some((r) => allows(r, 'subscribe') && filterCovers(r.filter, filter));
}

/** Do these rules need the check at delivery for this filter, or is the check at subscription enough? */
export const needsDeliveryCheck = (rules: readonly AccessRule[], filter: string) =>
  rules.some((r) => r.access === 'deny' && filtersOverlap(r.filter, filter));

/** What a signed-in person or a token may do on the bus: the display reads things, viewers their box, admins everything. */
export function rulesOfRole(role: CallerRole, edge: string): AccessRule[] {
  if (role === 'kiosk') {
    return [filters.things(edge), filters.readings(edge), filters.services(edge)].map((filter) => ({
      filter,
      access: 'subscribe' as const,
    }));
  }
  if (role === 'viewer') return [{ filter: filters.everything(edge), access: 'subscribe' }];
  return [
    { filter: '#', access: 'both' },
    { filter: '$SYS/#', access: 'subscribe' },
  ];
}

/**
 * What each service of ours may do on the bus, and no more. A custom service gets what {@link customServiceRules} says.
 * The `device` service also serves the `mqtt` driver, whose things live on other people's topics: it may use any topic
 * except those on which other services of this box speak.
 */
export function rulesOfService(name: string, edge: string): AccessRule[] {
  const own: AccessRule[] = [
    { filter: topics.service(edge, name), access: 'both' },
    { filter: filters.events(edge), access: 'publish' },
  ];
  switch (name) {
    case 'broker':
      return [...own, { filter: '$SYS/#', access: 'both' }];
    case 'device':
      return [...own, { filter: '#', access: 'both' }, { filter: '$SYS/#', access: 'deny' }];
    case 'sse':
      // rights of the person who asks are checked by sse itself before it touches the bus
      return [...own, { filter: '#', access: 'both' }, { filter: '$SYS/#', access: 'subscribe' }];
    case 'media':
      return [
        ...own,
        { filter: `${edge}/5/media/#`, access: 'publish' },
        { filter: `${edge}/5/media/+/+/set`, access: 'subscribe' },
        { filter: 'homeassistant/device/+/config', access: 'publish' },
        { filter: topics.homeAssistantStatus(), access: 'subscribe' },
      ];
    case 'server':
      return [
        ...own,
        { filter: filters.services(edge), access: 'both' },
        { filter: filters.readings(edge), access: 'subscribe' },
        { filter: filters.things(edge), access: 'subscribe' },
        { filter: filters.events(edge), access: 'subscribe' },
      ];
    default:
      return [...own, ...customServiceRules(edge)];
  }
}

/** A custom service sees the whole box, commands things, and may publish things and readings of its own. */
export function customServiceRules(edge: string): AccessRule[] {
  return [
    { filter: filters.everything(edge), access: 'subscribe' },
    { filter: filters.things(edge), access: 'publish' },
    { filter: filters.readings(edge), access: 'publish' },
  ];
}
