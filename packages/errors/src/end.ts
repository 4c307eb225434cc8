/**
 * How a connection, or one direction of it, came to its end.
 *
 * - `end`: the peer said that it was done, in the way its protocol says it
 * - `truncated`: the bytes stopped before the protocol was done (a FIN without close_notify); what came may be a forgery
 * - `reset`: the peer, or the network, cut it (RST, RESET_STREAM, stateless reset)
 * - `timeout`: a limit of time ran out
 * - `aborted`: a side gave it up and said so: this one (`destroy`, an `AbortSignal`), or the peer (TLS user_canceled);
 *   blame says which
 * - `failed`: something went wrong; the error says what
 */
export type EndKind = 'end' | 'truncated' | 'reset' | 'timeout' | 'aborted' | 'failed';

/** Which direction of a connection is meant. */
export type Direction = 'read' | 'write' | 'both';
