/**
 * On SIGTERM or SIGINT lets the server's connections end in order, and the process with them: exit code 0. A second
 * signal of the same kind ends it at once, in the system's way. To be called before anybody can know that the server runs.
 */
export function drainOnStopSignals(server: { drain(): Promise<unknown> }): void {
  let draining = false;
  const stop = (): void => {
    if (draining) return;
    draining = true;
    // Not before this round of the loop is over: connections that came with the signal are accepted in it, and would be
    // reset with the listener.
    setImmediate(() => void server.drain().then(() => process.exit(0)));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
