/** Where the image says what it is, and where its initramfs says how it came up. */
export const RELEASE_FILE = '/usr/lib/ledge/release.json';
/** Where a project lies that was built into an image, as `EDGE_PROJECT` says there. */
export const PROJECT_FOLDER = '/usr/lib/ledge/project';
export const BOOT_FILE = '/run/ledge-boot.env';

/** What was built into the image. */
export interface Release {
  version: string;
  /** `rpi`, `docker` … */
  machine: string;
  commit?: string;
  /** ISO 8601. */
  built?: string;
  kiosk?: boolean;
  project?: ProjectRelease;
}

/** The project that was built into it. */
export interface ProjectRelease {
  name: string;
  version: string;
  commit?: string;
  /** Names of its services: units `ledge-<name>.service`. */
  services: string[];
}

/** How this start went. */
export interface BootFacts {
  slot?: string;
  /** `normal`, `trial`, `fallback`, `state-lost`, `last-resort`. */
  reason?: string;
  disk?: string;
  /** `ok`, `fresh`, `repaired`, `grown`, `rescue`. */
  data?: string;
  /** Who asked for the factory reset that this start did. */
  reset?: string;
  /** Power cycles in a row that were cut soon after the start. */
  quickBoots?: number;
  /** What the start had to say, for people. */
  note?: string;
}

/** Reads `release.json`; undefined for text that is none. */
export function parseRelease(text: string): Release | undefined {
  try {
    const { version, machine, commit, built, kiosk, project: ofProject } = JSON.parse(text) as Record<string, unknown>;
    if (typeof version !== 'string' || typeof machine !== 'string') return undefined;
    const project = parseProject(ofProject);
    return {
      version,
      machine,
      ...(typeof commit === 'string' ? { commit } : {}),
      ...(typeof built === 'string' ? { built } : {}),
      ...(typeof kiosk === 'boolean' ? { kiosk } : {}),
      ...(project ? { project } : {}),
    };
  } catch {
    return undefined;
  }
}

function parseProject(value: unknown): ProjectRelease | undefined {
  const { name, version, commit, services } = (value ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || typeof version !== 'string' || !Array.isArray(services)) return undefined;
  return {
    name,
    version,
    ...(typeof commit === 'string' ? { commit } : {}),
    services: services.filter((service): service is string => typeof service === 'string'),
  };
}

/** Reads `NAME=value` words, quoted or not, on one line or many. Empty values are left out. */
export function parseBootFacts(text: string): BootFacts {
  const words = new Map<string, string>();
  for (const [, name = '', a, b, c] of text.matchAll(/(?:^|\s)([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(\S*))/g)) {
    const value = a ?? b ?? c ?? '';
    if (value !== '') words.set(name, value);
  }
  const facts: BootFacts = {};
  for (const [key, name] of [
    ['slot', 'SLOT'],
    ['reason', 'REASON'],
    ['disk', 'DISK'],
    ['data', 'DATA'],
    ['reset', 'RESET'],
    ['note', 'NOTE'],
  ] as const) {
    const value = words.get(name);
    if (value !== undefined) facts[key] = value;
  }
  const quick = Number(words.get('QUICK_BOOTS') ?? Number.NaN);
  return Number.isInteger(quick) ? { ...facts, quickBoots: quick } : facts;
}
