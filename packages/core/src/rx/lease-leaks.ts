import process from 'node:process';
import type { Lease } from './lease.ts';

/**
 * Names the leases of one subscription that were dropped without a release: with `SLUICE_DEBUG`, the first of them that
 * the garbage collector finds becomes a process warning that says whose it was and where `leased$` was called.
 */
export class LeaseLeaks {
  readonly #name: string;
  readonly #origin: string;
  #warned = false;

  /** @param origin where `leased$` was called: `debugOrigin` */
  constructor(name: string, origin: string) {
    this.#name = name;
    this.#origin = origin;
  }

  /** From now on the lease has to be released before it is forgotten. */
  lent(lease: Lease, token: object): void {
    registry.register(lease, { leaks: this, bytes: lease.bytes.byteLength }, token);
  }

  released(token: object): void {
    registry.unregister(token);
  }

  _leaked(bytes: number): void {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(
      `a lease of ${bytes} bytes from ${this.#name} was dropped without release(): reading stops when such leases reach ` +
        'its high watermark; release what an operator drops, or use settle(work)',
      { type: 'SluiceWarning', code: 'SLUICE_CORE_LEASE_LEAKED', detail: this.#origin },
    );
  }
}

const registry = new FinalizationRegistry<{ leaks: LeaseLeaks; bytes: number }>(({ leaks, bytes }) =>
  leaks._leaked(bytes),
);
