/**
 * Homie 5, "Device lifecycle": `init` while it starts, `ready`, `disconnected` in good order, `sleeping` by its own will, `lost` without
 * a word.
 */
export type DeviceState = 'init' | 'ready' | 'disconnected' | 'sleeping' | 'lost';
export const DEVICE_STATES = ['init', 'ready', 'disconnected', 'sleeping', 'lost'] as const satisfies readonly DeviceState[];

/**
 * The state that a device really has: its own, unless its root is lost (Homie 5, "Device hierarchy"), because the root's will
 * is the only one that the broker says for the whole tree.
 */
export const effectiveState = (own: DeviceState, root: DeviceState | undefined): DeviceState => (root === 'lost' ? 'lost' : own);
