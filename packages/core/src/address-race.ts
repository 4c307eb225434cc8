import { systemErrorName } from '@sluice/errors';
import type { EventLoop } from './event-loop.ts';
import type { Timer } from './timer.ts';

export type Family = 4 | 6;

/** What a race is run with, and whom it tells. */
export interface AddressRaceOptions {
  readonly loop: EventLoop;
  readonly families: readonly Family[];
  lookUp(family: Family, done: (error: Error | undefined, addresses: readonly string[]) => void): void;
  /** Begins an attempt and answers how to give it up. `done` gets 0 or a negative error number, once, not from within. */
  dial(address: string, done: (status: number) => void): () => void;
  /** No name was found (`error`), or no address could be reached (`status`: the most telling of the attempts). */
  lost(failure: { error: Error } | { status: number }): void;
}

/** RFC 8305, 3: how long the addresses of IPv4 wait for those of IPv6. */
const RESOLUTION_DELAY_MS = 50;

/** RFC 8305, 5: the head start of an attempt before the next. */
const ATTEMPT_DELAY_MS = 250;

/** Of each family: more are not tried within any sensible limit of time. */
const ADDRESSES_MAX = 16;

/** What says only that a family is of no use here. */
const NO_WAY = ['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'];

/**
 * Happy eyeballs (RFC 8305): looks a name up in both families at once, tries the addresses in turn from one family and
 * the other, IPv6 first, each with a head start before the next, and keeps the first that answers. The rest is given up.
 */
export class AddressRace {
  readonly #options: AddressRaceOptions;
  readonly #addresses: Record<Family, string[]> = { 4: [], 6: [] };
  readonly #attempts: Set<() => void> = new Set();
  readonly #timer: Timer;
  #lookups: number;
  #begun = false;
  #over = false;
  /** Whose turn it is. */
  #turn: Family = 6;
  #lookupError: Error | undefined;
  #status = 0;

  constructor(options: AddressRaceOptions) {
    this.#options = options;
    this.#lookups = options.families.length;
    this.#timer = options.loop.idleTimer(() => this.#next()).ref();
    for (const family of options.families) {
      options.lookUp(family, (error, addresses) => this.#answered(family, error, addresses));
    }
  }

  /** Gives everything up; nobody is told. Idempotent. */
  cancel(): void {
    this.#over = true;
    this.#timer.stop();
    for (const giveUp of this.#attempts) giveUp();
    this.#attempts.clear();
  }

  #answered(family: Family, error: Error | undefined, addresses: readonly string[]): void {
    if (this.#over) return;
    this.#lookups -= 1;
    this.#lookupError ??= error;
    this.#addresses[family] = addresses.slice(0, ADDRESSES_MAX);
    const waits = this.#lookups > 0 && (family === 4 || addresses.length === 0);
    if (this.#begun ? this.#attempts.size === 0 : !waits) this.#next();
    else if (!this.#begun && addresses.length > 0) this.#timer.start(RESOLUTION_DELAY_MS);
  }

  /** Begins the next attempt, if there is another address. */
  #next(): void {
    this.#begun = true;
    this.#timer.stop();
    const family = this.#addresses[this.#turn].length > 0 ? this.#turn : other(this.#turn);
    const address = this.#addresses[family].shift();
    if (address === undefined) return this.#checkLost();
    this.#turn = other(family);
    const giveUp = this.#options.dial(address, (status) => this.#decided(giveUp, status));
    this.#attempts.add(giveUp);
    if (this.#addresses[4].length + this.#addresses[6].length > 0) this.#timer.start(ATTEMPT_DELAY_MS);
  }

  #decided(giveUp: () => void, status: number): void {
    this.#attempts.delete(giveUp);
    if (this.#over) return;
    if (status === 0) return this.cancel();
    const telling = !NO_WAY.includes(systemErrorName(status));
    if (this.#status === 0 || (telling && NO_WAY.includes(systemErrorName(this.#status)))) this.#status = status;
    this.#next();
  }

  #checkLost(): void {
    if (this.#attempts.size > 0 || this.#lookups > 0) return;
    this.#over = true;
    if (this.#status !== 0) this.#options.lost({ status: this.#status });
    else this.#options.lost({ error: this.#lookupError ?? new Error('the name has no addresses') });
  }
}

function other(family: Family): Family {
  return family === 6 ? 4 : 6;
}
