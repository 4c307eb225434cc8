import type { ChannelErrorStack, FailOptions } from './channel-error-stack.ts';
import { Library, packCode, SluiceReason } from './code.ts';
import { copyEntries, createEntry, type ErrorEntry } from './error-entry.ts';
import { sslReasons } from './ssl-reasons.ts';

/**
 * Why a port died: the socket that many channels share. Its failure is recorded once and reaches each of its channels
 * once, in the order in which they were added; a channel that is added later fails at once.
 *
 * A datagram that could not be sent to one destination is no failure of a port.
 */
export class PortErrorStack {
  readonly #channels = new Set<ChannelErrorStack>();
  #entries: readonly ErrorEntry[] = [];
  #failure: FailOptions | undefined;
  #suppressedErrors = 0;

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Copies of the entries that the failure left, oldest first. */
  get entries(): ErrorEntry[] {
    return copyEntries(this.#entries);
  }

  /** Failures after the first. */
  get suppressedErrors(): number {
    return this.#suppressedErrors;
  }

  /** Channels that would fail with the port. */
  get channelCount(): number {
    return this.#channels.size;
  }

  /** A channel now depends on the port. */
  add(channel: ChannelErrorStack): void {
    if (this.#failure === undefined) this.#channels.add(channel);
    else channel.fail(this.#entries, this.#failure);
  }

  /** A channel no longer does. */
  remove(channel: ChannelErrorStack): void {
    this.#channels.delete(channel);
  }

  /**
   * The port fails, and all of its channels with it: each gets the entries, covered by 'network error'.
   *
   * @returns whether this failure is the one that counts
   */
  fail(entries: readonly ErrorEntry[], options: FailOptions): boolean {
    if (this.#failure !== undefined) {
      this.#suppressedErrors++;
      return false;
    }
    const covered = entries.some((entry) => entry.code === OPENSSL_NETWORK_ERROR);
    this.#entries = covered ? entries : [...entries, createEntry({ code: NETWORK_ERROR, func: options.operation })];
    this.#failure = { ...options, network: true };
    const channels = [...this.#channels];
    this.#channels.clear();
    for (const channel of channels) channel.fail(this.#entries, this.#failure);
    return true;
  }
}

const NETWORK_ERROR = packCode(Library.sluice, SluiceReason.networkError);
const OPENSSL_NETWORK_ERROR = packCode(Library.ssl, sslReasons.quicNetworkError[0]);
