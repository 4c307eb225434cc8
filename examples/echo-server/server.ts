import type { ConnectionOptions, CloseReport, BufferEvent, Handlers } from '@sluice/core';

/** A peer that does not take its echoes is not read from: what it costs is the two watermarks. */
export const connectionOptions: ConnectionOptions = { pauseReadWhenFull: true };

/** What arrives is moved to the output, without copying. `closed` hears of each connection that ended. */
export function echoHandlers(closed: (bev: BufferEvent, report: CloseReport) => void = () => {}): Handlers {
  return {
    data({ input, output, writable }) {
      if (writable) input.moveTo(output);
      else input.drain();
    },
    closed,
  };
}
