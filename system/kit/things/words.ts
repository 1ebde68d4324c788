import {
  DEVICE_STATES,
  type DeviceState,
  type HomieDescription,
  type HomieProperty,
  homieDescriptionSchema,
  ID_PATTERN,
  limitsOf,
  type ParsedPayload,
  Problem,
  type PropertyAddress,
  parsePayload,
  shown,
} from '@ledge/contract';

/** @throws Problem `invalid-value` */
export function addressOf(path: string): PropertyAddress {
  const [thing, node, property, ...rest] = path.split('/');
  if (!thing || !node || !property || rest.length > 0 || ![thing, node, property].every((id) => ID_PATTERN.test(id))) {
    throw new Problem('invalid-value', `path is ${shown(path)}; <thing>/<node>/<property> is wanted, such as greenhouse/main/temperature`);
  }
  return { thing, node, property };
}

/** Anybody may publish a description; what is none counts as none. */
export function descriptionOf(payload: Buffer): HomieDescription | undefined {
  try {
    return homieDescriptionSchema.parse(JSON.parse(payload.toString())) as HomieDescription;
  } catch {
    return undefined;
  }
}

export const propertyOf = (description: HomieDescription | undefined, { node, property }: PropertyAddress): HomieProperty | undefined =>
  description?.nodes[node]?.properties[property];

/** What a thing says of itself is taken as it is, also past the limits that it puts on commands. */
export const readValue = (property: HomieProperty, payload: Buffer): ParsedPayload =>
  parsePayload(property.datatype, payload.toString(), property.datatype === 'enum' ? limitsOf(property) : {});

/** A state that was cleared is that of a thing that is no more. */
export const stateOf = (payload: Buffer): DeviceState => DEVICE_STATES.find((state) => state === payload.toString()) ?? 'disconnected';
