/**
 * What a turn came to: one of four, as in Boost.Asio's `ssl::detail::engine`.
 *
 * - `done`: the operation is complete
 * - `want-input`: the peer's next ciphertext is needed
 * - `want-output`: room for ciphertext is needed: take away what is in `output` first
 * - `closed`: the operation will never do anything again. The session's `failure` says why; when there is none, the peer
 *   has ended in order (close_notify), and only reading is over
 */
export type TurnOutcome = 'done' | 'want-input' | 'want-output' | 'closed';

/** The operations that a turn can work at; see `TlsSession.turn`. */
export type TurnOperation = 'move' | 'handshake' | 'read' | 'write' | 'shutdown';

/**
 * The caller's memory that a turn works on. A turn moves the starts forward, past what it used. One object may serve all
 * turns of all sessions.
 */
export interface TurnIo {
  /** Ciphertext from the peer: `[inputStart, inputEnd)`. */
  input: Uint8Array | undefined;
  inputStart: number;
  inputEnd: number;
  /** No ciphertext follows this input: the transport has ended. */
  inputEof: boolean;
  /** Room for ciphertext to the peer. */
  output: Uint8Array | undefined;
  outputStart: number;
  outputEnd: number;
  /** Read: room for plaintext. Write and shutdown: the plaintext to send. */
  data: Uint8Array | undefined;
  dataStart: number;
  dataEnd: number;
}

/** A `TurnIo` with nothing in it. */
export function turnIo(): TurnIo {
  return {
    input: undefined,
    inputStart: 0,
    inputEnd: 0,
    inputEof: false,
    output: undefined,
    outputStart: 0,
    outputEnd: 0,
    data: undefined,
    dataStart: 0,
    dataEnd: 0,
  };
}
