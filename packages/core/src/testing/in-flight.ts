/** Bytes that are under way, each with the time of its arrival. They arrive in the order in which they were sent. */
export class InFlight {
  /** Those that have not arrived. */
  bytes = 0;
  /** When the last of all that were ever sent arrives; 0 before any. */
  lastDue = 0;
  #pieces: { readonly due: number; readonly bytes: number }[] = [];

  /** Sends so many to arrive at `due`, or with the last of those before them when that is later. */
  add(bytes: number, due: number): void {
    this.lastDue = Math.max(this.lastDue, due);
    this.#pieces.push({ due: this.lastDue, bytes });
    this.bytes += bytes;
  }

  /** What has arrived by now is under way no longer. */
  land(now: number): void {
    let landed = 0;
    for (const { due, bytes } of this.#pieces) {
      if (due > now) break;
      this.bytes -= bytes;
      landed += 1;
    }
    if (landed > 0) this.#pieces = this.#pieces.slice(landed);
  }

  /** When the next of them arrive; `Infinity` when nothing is under way. */
  get next(): number {
    return this.#pieces[0]?.due ?? Number.POSITIVE_INFINITY;
  }

  clear(): void {
    this.#pieces = [];
    this.bytes = 0;
  }
}
