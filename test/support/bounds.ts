/** How much the buffers of connections ever held: what the interoperation tests compare with their bounds. */
import type { BufferEvent } from '@sluice/core';

/** The largest numbers of bytes seen, over all connections watched. */
export class Bounds {
  inputMax = 0;
  outputMax = 0;

  watch(bev: BufferEvent): void {
    bev.input.onChange(() => {
      this.inputMax = Math.max(this.inputMax, bev.input.length);
    });
    bev.output.onChange(() => {
      this.outputMax = Math.max(this.outputMax, bev.output.length);
    });
  }

  /** Throws unless both kept to the default watermarks, and something was held at all. */
  check(): void {
    const { inputMax, outputMax } = this;
    if (inputMax > 0 && inputMax <= INPUT_BYTES_MAX && outputMax > 0 && outputMax <= OUTPUT_BYTES_MAX) return;
    throw new Error(`input held ${inputMax} bytes of ${INPUT_BYTES_MAX}, output ${outputMax} of ${OUTPUT_BYTES_MAX}`);
  }
}

/** `write.high`: streams write no more than fits. */
export const OUTPUT_BYTES_MAX: number = 64 * 1024;

/** `read.high`, and a last read. */
export const INPUT_BYTES_MAX: number = 64 * 1024 + 64 * 1024;
