/** Homie 5, "Device lifecycle". */
export const DEVICE_STATES = ['init', 'ready', 'disconnected', 'sleeping', 'lost'] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

/**
 * The state that a device really has: a child's own word counts only while its root is ready (Homie 5, "Device lifecycle"),
 * because the root's will is the only one that the broker says for the whole tree.
 */
export const effectiveState = (own: DeviceState, root: DeviceState | undefined): DeviceState =>
  root === undefined || root === 'ready' ? own : root;
