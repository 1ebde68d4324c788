import { ID_PATTERN, isOurService, OUR_SERVICES } from '@ledge/contract';

/** A service's user on the card is `ledge-<name>`, and user names end at 31 characters. */
const MAX_NAME_LENGTH = 24;
/** Units, users, folders and sections that are no service, and whose name a service would take from them. */
const TAKEN_NAMES = [
  ...['boot-complete', 'boot-lasted', 'clock', 'crash', 'i2c', 'identity', 'import'],
  ...['kiosk', 'regdom', 'reset', 'setup', 'ssh', 'supervisor'],
  ...['edge', 'http', 'mqtt', 'project', 'run', 'secrets', 'settings', 'system', 'things'],
];

/** Why a service of somebody's own cannot have this name, as the second half of a sentence; undefined when it can. */
export function serviceNameFault(name: string): string | undefined {
  if (!ID_PATTERN.test(name)) return 'lower-case letters, digits and hyphens are wanted, such as rain-gauge';
  if (name.length > MAX_NAME_LENGTH) return `${MAX_NAME_LENGTH} characters or fewer are wanted`;
  if (isOurService(name)) return 'Ledge has a service of that name; another one is wanted';
  if (TAKEN_NAMES.includes(name)) return 'Ledge uses that name itself; another one is wanted';
  const ours = OUR_SERVICES.find((our) => name.startsWith(`${our}-`));
  return ours === undefined ? undefined : `names that begin with ${ours}- belong to the service ${ours}; another one is wanted`;
}
