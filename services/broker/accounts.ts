import { createHash, timingSafeEqual } from 'node:crypto';
import { type AccessRule, Problem, rulesOfService } from '@ledge/contract';
import type { Clock } from '@ledge/kit';
import { type Admission, type Credentials, REFUSAL, type RefusalCode } from './engine.ts';
import { Rights } from './rights.ts';
import { ServiceSecrets } from './service-secrets.ts';
import type { Users } from './users.ts';

/** Names of the users that services of this box are; users that people make never begin so. */
export const SERVICE_PREFIX = 'ledge-';
/** That many wrong passwords from one address cost nothing; each further one doubles the wait. */
const FREE_TRIES = 3;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 16_000;
/** After this long without a wrong password an address is forgiven. */
const FORGIVEN_MS = 10 * 60_000;
const ADDRESSES_REMEMBERED = 1000;

export interface AccountSettings {
  allowAnonymous: boolean;
  anonymousRules: readonly AccessRule[];
}

/**
 * The service whose client id somebody else has; undefined when it is nobody's, or the user's own. Sessions are found by client id: nobody else
 * may end those of the box's services, or keep their place while they restart.
 */
export function ownerOf(clientId: string, user: string | undefined, services: readonly string[]): string | undefined {
  const owners = services.filter((owner) => clientId === owner || clientId.startsWith(`${owner}-`));
  return user !== undefined && owners.includes(user) ? undefined : owners[0];
}

const sameSecret = (a: Buffer, b: Buffer) => {
  const digest = (value: Buffer) => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(a), digest(b));
};
const refused = (code: RefusalCode, reason: string): Admission => ({ admitted: false, code, reason });

/** Who may come in, and with which rights: services of this box, users that people made, and perhaps anybody. */
export class Accounts {
  readonly #users: Users;
  readonly #secrets: ServiceSecrets;
  readonly #edge: string;
  readonly #settings: () => AccountSettings;
  readonly #clock: Clock;
  readonly #services = new Map<string, Rights>();
  readonly #anonymous = new Rights([]);
  readonly #tries = new Map<string, { wrong: number; lastMs: number }>();

  /** `secretsDir` holds one file per service with its password. */
  constructor(users: Users, secretsDir: string, edge: string, settings: () => AccountSettings, clock: Clock) {
    this.#users = users;
    this.#secrets = new ServiceSecrets(secretsDir);
    this.#edge = edge;
    this.#settings = settings;
    this.#clock = clock;
  }

  async admit(credentials: Credentials): Promise<Admission> {
    const { clientId, user } = credentials;
    const admission = await this.#admitAccount(credentials);
    if (!admission.admitted) return admission;
    if (!clientId.startsWith(SERVICE_PREFIX)) return admission;
    const services = await this.#secrets.names();
    const owner = ownerOf(
      clientId,
      user,
      services.map((name) => SERVICE_PREFIX + name),
    );
    return owner ? refused(REFUSAL.identifier, `has a client id that belongs to ${owner}`) : admission;
  }

  async #admitAccount({ user, password, address }: Credentials): Promise<Admission> {
    if (user === undefined || user === '') return this.#admitAnonymous();
    if (password === undefined) return refused(REFUSAL.password, 'gave a name and no password');
    const known = await this.#quickly(user, password);
    if (known) return { admitted: true, rights: known };
    const waitMs = this.#waitMs(address);
    if (waitMs > 0) await this.#clock.sleep(waitMs);
    return this.#slowly(user, password, address);
  }

  /** Changed settings count for anonymous clients that are connected, too. */
  applySettings(): void {
    const { allowAnonymous, anonymousRules } = this.#settings();
    this.#anonymous.rules = allowAnonymous ? anonymousRules : [];
  }

  #admitAnonymous(): Admission {
    if (!this.#settings().allowAnonymous) return refused(REFUSAL.notAllowed, 'gave no user name, and only users are let in');
    this.applySettings();
    return { admitted: true, rights: this.#anonymous };
  }

  async #quickly(user: string, password: Buffer): Promise<Rights | undefined> {
    return (await this.#service(user, password)) ?? this.#users.recall(user, password);
  }

  async #service(user: string, password: Buffer): Promise<Rights | undefined> {
    const name = user.startsWith(SERVICE_PREFIX) ? user.slice(SERVICE_PREFIX.length) : '';
    const wanted = await this.#secrets.of(name);
    if (wanted === undefined || !sameSecret(Buffer.from(wanted), password)) return undefined;
    let rights = this.#services.get(name);
    if (!rights) {
      rights = new Rights(rulesOfService(name, this.#edge));
      this.#services.set(name, rights);
    }
    return rights;
  }

  async #slowly(user: string, password: Buffer, address: string): Promise<Admission> {
    try {
      const rights = await this.#users.verify(user, password);
      if (rights) {
        this.#tries.delete(address);
        return { admitted: true, rights };
      }
    } catch (error) {
      if (error instanceof Problem && error.code === 'too-many-tries') return refused(REFUSAL.unavailable, error.message);
      throw error;
    }
    this.#countWrong(address);
    return refused(REFUSAL.password, 'gave a wrong name or password');
  }

  #countWrong(address: string): void {
    const wrong = (this.#tries.get(address)?.wrong ?? 0) + 1;
    this.#tries.delete(address); // again at the end: the oldest is forgotten first
    this.#tries.set(address, { wrong, lastMs: this.#clock.monotonic() });
    const [oldest] = this.#tries.keys();
    if (this.#tries.size > ADDRESSES_REMEMBERED && oldest !== undefined) this.#tries.delete(oldest);
  }

  #waitMs(address: string): number {
    const tries = this.#tries.get(address);
    if (!tries) return 0;
    if (this.#clock.monotonic() - tries.lastMs > FORGIVEN_MS) {
      this.#tries.delete(address);
      return 0;
    }
    if (tries.wrong < FREE_TRIES) return 0;
    return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries.wrong - FREE_TRIES));
  }
}
