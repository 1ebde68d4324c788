import type { Preferences, Tile as ServiceTile } from '@ledge/contract';
import type { ServiceModel } from '../client/services.ts';
import type { PropertyModel, ThingModel } from '../client/things.ts';

export type Arrangement = Preferences['dashboard'];

/** The one thing that is shown as a player and not value by value. */
export const PLAYER = 'media';
/** What is there before anybody has added anything. */
const BUILT_IN: ReadonlySet<string> = new Set(['system', PLAYER]);

/** What stands together on the dashboard under one heading: a thing, or the tiles of a service. */
export type Group =
  | { kind: 'thing'; id: string; thing: ThingModel }
  | { kind: 'service'; id: string; service: ServiceModel; tiles: readonly ServiceTile[] };

export const nameOf = (group: Group): string =>
  group.kind === 'thing' ? group.thing.name.value : group.service.summary || group.service.name;

export const isPlayer = (thing: ThingModel): boolean =>
  thing.id === PLAYER && ['player/state', 'player/title'].every((key) => thing.properties.value.some((property) => property.key === key));

/** Nothing is there yet but what the box brings itself. */
export const isFresh = (things: readonly ThingModel[]): boolean => things.every(({ id }) => BUILT_IN.has(id));

export const tileId = ({ thing, key }: PropertyModel): string => `${thing}/${key}`;
export const isHidden = ({ hidden }: Arrangement, id: string): boolean => hidden.includes(id);

/** All groups of the box: as somebody arranged them, then the rest by name. */
export function groupsOf(things: readonly ThingModel[], services: readonly ServiceModel[], order: readonly string[]): Group[] {
  const groups: Group[] = things.map((thing) => ({ kind: 'thing', id: thing.id, thing }));
  for (const service of services) {
    // what the player shows need not be there twice
    const tiles = (service.tiles ?? []).filter(({ property }) => property?.split('/')[0] !== PLAYER);
    if (tiles.length > 0) groups.push({ kind: 'service', id: `service:${service.name}`, service, tiles });
  }
  const places = new Map(order.map((id, place) => [id, place]));
  const place = ({ id }: Group) => places.get(id) ?? Number.POSITIVE_INFINITY;
  const named = groups.map((group) => ({ group, name: nameOf(group), place: place(group) }));
  named.sort((a, b) =>
    a.place === b.place
      ? a.name.localeCompare(b.name, undefined, { numeric: true }) || a.group.id.localeCompare(b.group.id)
      : a.place - b.place,
  );
  return named.map(({ group }) => group);
}

/** The same by room, rooms in the order of their first thing; what is in none comes last. */
export function byRoom(groups: readonly Group[]): [room: string, groups: readonly Group[]][] {
  const roomOf = (group: Group) => (group.kind === 'thing' ? group.thing.room.value : '');
  const rooms = new Map<string, Group[]>();
  for (const group of groups) rooms.set(roomOf(group), [...(rooms.get(roomOf(group)) ?? []), group]);
  return [...rooms].sort(([a], [b]) => Number(a === '') - Number(b === ''));
}

/** The arrangement with one group moved to another place among all of them. */
export function moved(ids: readonly string[], from: number, to: number): string[] {
  const next = [...ids];
  const [id] = next.splice(from, 1);
  if (id !== undefined) next.splice(Math.max(0, Math.min(next.length, to)), 0, id);
  return next;
}

export const toggled = (list: readonly string[], id: string): string[] =>
  list.includes(id) ? list.filter((other) => other !== id) : [...list, id];
