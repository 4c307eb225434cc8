/** Bytes that somebody works on. They count against their connection's high watermark until they are released. */
export class Lease<T extends Uint8Array = Uint8Array> implements Disposable {
  /** The holder's own; they stay what they are, also after the release. */
  readonly bytes: T;
  #giveBack: (() => void) | undefined;

  /** @param giveBack called once, by the first release */
  constructor(bytes: T, giveBack: () => void) {
    this.bytes = bytes;
    this.#giveBack = giveBack;
  }

  get released(): boolean {
    return this.#giveBack === undefined;
  }

  /** The bytes are done with: as many more may come. Idempotent. */
  release(): void {
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
