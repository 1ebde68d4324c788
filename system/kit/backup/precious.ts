/** A file or folder that belongs in a backup. */
export interface PreciousItem {
  /** Below the data directory, with `/` on every system: `things`, `broker/users.db`. Its first step is a folder that the service may write to. */
  path: string;
  /** It is a file right in the data directory; without this a path of one step is a folder. */
  isTopFile?: boolean;
  /** Names right below it that are left out, and left alone by a restore. */
  except?: RegExp;
  /** Of what was recorded: people may leave it out. */
  history?: boolean;
  /** Names this very box, as its certificate does: another box keeps its own. */
  sameBoxOnly?: boolean;
  /** May lie where the service cannot write: then a restore leaves it out, and says so. */
  ifWritable?: boolean;
  /** SQL that takes out of the copy of a database what has no business in a backup. */
  prune?: string;
}

/** What `receive` is told. */
export interface Received {
  /** Where a path of the backup lies now; undefined when it is not part of it. */
  file(path: string): string | undefined;
  /** The same path as this box has it, in use by this very process. */
  present(path: string): string;
  /** Id of the box that the backup is of. */
  fromEdge: string;
  /** Id of this box. */
  toEdge: string;
}

/**
 * What of a service belongs in a backup; its saved settings always do, without being named. SQLite files are known by their content, and copied
 * while they are in use.
 */
export interface Precious {
  /** Files and folders, in the order in which they are copied. */
  items: readonly PreciousItem[];
  /** Looks at what is to be restored while it lies beside, and may change it. @throws Problem to refuse it */
  receive?(received: Received): void;
}

/** What a running service adds to its part of a backup. */
export interface PartFacts {
  /** Before files are read: what is in memory goes to the disk. */
  flush?(): Promise<void>;
  /** What people would count: `{ things: 12 }`. */
  count?(files: readonly string[]): Record<string, number>;
}

/** Settings are an item of every service. */
export const settingsPath = (service: string) => `settings/${service}.yaml`;

export function itemsOf(service: string, precious: Precious | undefined): PreciousItem[] {
  return [{ path: settingsPath(service) }, ...(precious?.items ?? [])];
}

export const isBelow = (path: string, item: string) => path === item || path.startsWith(`${item}/`);
