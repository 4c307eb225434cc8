/**
 * What the last operation of a channel or a stream came to. Kept per object and never worked out from a queue of errors,
 * so that asking twice, asking late, or asking with another object's errors about gives the same answer.
 */
export type ResultKind =
  | 'none'
  | 'ssl'
  | 'want-read'
  | 'want-write'
  | 'want-x509-lookup'
  | 'syscall'
  | 'zero-return'
  | 'want-connect'
  | 'want-accept'
  | 'want-async'
  | 'want-async-job'
  | 'want-client-hello'
  | 'want-retry-verify';

/** What a result asks of its channel: a network error of the channel outranks what the object itself saw. */
export interface NetworkFate {
  readonly networkFailed: boolean;
}

const SSL_ERROR: readonly ResultKind[] = [
  'none',
  'ssl',
  'want-read',
  'want-write',
  'want-x509-lookup',
  'syscall',
  'zero-return',
  'want-connect',
  'want-accept',
  'want-async',
  'want-async-job',
  'want-client-hello',
  'want-retry-verify',
];

/** The result for a number of OpenSSL's `SSL_get_error`; an unknown number is 'ssl', a failure. */
export function resultFromSslError(sslError: number): ResultKind {
  return SSL_ERROR[sslError] ?? 'ssl';
}

/** The last result of one channel or one stream. */
export class LastResult {
  readonly #channel: NetworkFate | undefined;
  #value: ResultKind = 'none';

  /** @param channel the channel it belongs to, when there is one */
  constructor(channel?: NetworkFate) {
    this.#channel = channel;
  }

  get value(): ResultKind {
    return this.#channel?.networkFailed === true ? 'syscall' : this.#value;
  }

  /** An operation begins: nothing is known of it yet. */
  start(): void {
    this.#value = 'none';
  }

  /** An operation came to this. */
  set(value: ResultKind): void {
    this.#value = value;
  }
}
