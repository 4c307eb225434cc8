import type { BufferEvent, CloseReport, Handlers } from '@sluice/core';

/** What a layer hears from the transport it took over. */
export interface Layer {
  /** The transport is connected. */
  _belowConnected(): void;
  /** Bytes came in, or room for more to go out. */
  _belowMoved(): void;
  /** The peer ended its direction of the transport. */
  _belowEnded(): void;
  /** The transport is gone. */
  _belowClosed(report: CloseReport): void;
}

/** The transport's callbacks, for the layer above it. */
export class Below implements Handlers {
  readonly #layer: Layer;

  constructor(layer: Layer) {
    this.#layer = layer;
  }

  connected(): void {
    this.#layer._belowConnected();
  }

  data(): void {
    this.#layer._belowMoved();
  }

  drained(): void {
    this.#layer._belowMoved();
  }

  end(): void {
    this.#layer._belowEnded();
  }

  closed(_transport: BufferEvent, report: CloseReport): void {
    this.#layer._belowClosed(report);
  }
}
