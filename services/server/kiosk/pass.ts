import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@ledge/kit';
import type { DisplayPass, Identity } from '../auth/identify.ts';
import { SESSION_COOKIE } from '../auth/sessions.ts';

/** No person and no token is called so: names have no colon, and tokens are `token:<name>`. */
export const DISPLAY = 'box:kiosk';
/** The cookie holds as long as the pass; what is read with it is looked at anew once a day. */
const HOLDS_MS = 24 * 60 * 60_000;

/**
 * The pass of the box's own display. Who can read its file and asks from this very machine gets a cookie that may look at things, see
 * `may-display.ts`. The cookie is made of the pass, so that nothing is stored; a new pass, and the server started again, ends it.
 */
export class KioskPass implements DisplayPass {
  readonly #pass: string | undefined;
  readonly #secret: string;
  readonly #clock: Clock;

  /** @param pass undefined: there is none, and nobody gets in by it */
  constructor(pass: string | undefined, clock: Clock) {
    this.#pass = pass;
    this.#secret = pass === undefined ? '' : createHmac('sha256', pass).update('cookie of the kiosk').digest('base64url');
    this.#clock = clock;
  }

  admits(pass: string, address: string): boolean {
    return this.#pass !== undefined && isThisMachine(address) && isSame(pass, this.#pass);
  }

  identify(secret: string, address: string): Identity | undefined {
    if (this.#pass === undefined || !isThisMachine(address) || !isSame(secret, this.#secret)) return undefined;
    return { user: DISPLAY, role: 'kiosk', grant: DISPLAY, expiresMs: this.#clock.now() + HOLDS_MS };
  }

  /** Until the browser ends, which asks again when it starts. */
  cookie(): string {
    return `${SESSION_COOKIE}=${this.#secret}; Path=/; HttpOnly; SameSite=Strict`;
  }
}

const isThisMachine = (address: string) => address === '::1' || address.startsWith('127.');

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
