import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/** sockaddr_un holds 108 bytes on Linux and 104 on a Mac, with the final zero. */
const MAX_SOCKET_PATH_BYTES = 103;

/** Where this user's box keeps its data when nothing says otherwise. */
export function defaultDataDir(environment: Environment = process.env, platform = process.platform): string {
  if (platform === 'win32') return join(environment.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'Ledge');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Ledge');
  return join(environment.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'ledge');
}

/** The data directory: everything of a box that must survive is below it. */
export class DataDir {
  readonly root: string;
  readonly #runDir: string | undefined;

  constructor(root: string, runDir?: string) {
    this.root = resolve(root);
    this.#runDir = runDir;
  }

  static of(environment: Environment): DataDir {
    return new DataDir(environment.EDGE_DATA ?? defaultDataDir(environment), environment.EDGE_RUN);
  }

  get configFile(): string {
    return join(this.root, 'ledge.yaml');
  }

  settingsFile(service: string): string {
    return join(this.root, 'settings', `${service}.yaml`);
  }

  /** Of a running service. In the one folder that every service may write to; its own may be a person's, too, as the music library is. */
  lockFile(service: string): string {
    return join(this.root, 'settings', `.${service}.lock`);
  }

  /** A service's own directory, made when it is missing. */
  serviceDir(service: string): string {
    const dir = join(this.root, service);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    return dir;
  }

  mqttSecretFile(service: string): string {
    return join(this.root, 'secrets', 'mqtt', service);
  }

  get gatewaySecretFile(): string {
    return join(this.root, 'secrets', 'gateway');
  }

  /** `{"password": …}` or `{"hash": …}` for the admin, left by the import of what was written to the card; empty when there is none. */
  get firstAdminFile(): string {
    return join(this.root, 'secrets', 'first-admin');
  }

  /** The language that the owner wrote to the card: `en` or `fr`. */
  get languageFile(): string {
    return join(this.root, 'system', 'language');
  }

  /** What the program that shows the box's own display proves itself with. */
  get kioskPassFile(): string {
    return join(this.root, 'secrets', 'kiosk-pass');
  }

  /** A Unix socket in the run directory, or a named pipe on Windows. */
  socketPath(name: string, platform = process.platform): string {
    const hash = createHash('sha256').update(this.root).digest('hex').slice(0, 12);
    if (platform === 'win32') return `\\\\.\\pipe\\ledge-${hash}-${name}`;
    const path = join(this.#runDir ?? join(this.root, 'run'), `${name}.sock`);
    if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return path;
    return join(tmpdir(), `ledge-${hash}`, `${name}.sock`);
  }

  /** This box's id, made at the first call on a new data directory: `ledge-` and eight hexadecimal digits. */
  edgeId(random: (bytes: number) => Buffer = randomBytes): string {
    return createOnce(join(this.root, 'edge-id'), () => `ledge-${random(4).toString('hex')}`, 0o644);
  }
}

/** A secret of 32 random bytes in a file that only its owner reads, unless `mode` says otherwise; made when it is missing. Returns it. */
export function ensureSecret(file: string, mode = 0o600): string {
  return createOnce(file, () => randomBytes(32).toString('base64url'), mode);
}

/** Reads a file, or makes it whole: of several processes that try at once, one wins and all read the same. */
function createOnce(file: string, content: () => string, mode: number): string {
  if (existsSync(file)) {
    const present = readFileSync(file, 'utf8').trim();
    if (present !== '') return present;
    unlinkSync(file); // left empty by a power cut
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, `${content()}\n`, { mode, flush: true });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      renameSync(draft, file); // file systems without hard links (FAT)
      return readFileSync(file, 'utf8').trim();
    }
  }
  unlinkSync(draft);
  return readFileSync(file, 'utf8').trim();
}

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Replaces a file so that a reader, or a power cut, sees either the old content or the new. */
export function writeFileAtomic(file: string, content: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    writeFileSync(draft, content, { mode, flush: true });
    chmodSync(draft, mode);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    // in a sticky folder nobody replaces what another user laid there, but may be allowed to write into it
    if ((error as NodeJS.ErrnoException).code !== 'EPERM' || !isWritable(file)) throw error;
    writeFileSync(file, content, { flush: true });
  }
}
