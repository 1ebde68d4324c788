/** Homie 5, "Device lifecycle". */
export const DEVICE_STATES = ['init', 'ready', 'disconnected', 'sleeping', 'lost'] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

/**
 * The state that a device really has: its own, unless its root is lost (Homie 5, "Device hierarchy"), because the root's will
 * is the only one that the broker says for the whole tree.
 */
export const effectiveState = (own: DeviceState, root: DeviceState | undefined): DeviceState => (root === 'lost' ? 'lost' : own);
