import { Server } from '@sluice/core';
import { listenAt, type Place } from '../support/listening.ts';
import { run } from '../support/run.ts';
import { drainOnStopSignals } from '../support/stop-signals.ts';
import { tlsWrap } from '../support/tls-files.ts';
import { type EchoServerArguments, HELP, parseOptions } from './options.ts';
import { closeLine } from './report.ts';
import { connectionOptions, echoHandlers } from './server.ts';

await run('echo-server', async (argv) => {
  const options = parseOptions(argv);
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const places = placesOf(options);
  const handlers = echoHandlers((bev, report) => {
    if (options.log === 'json') process.stderr.write(`${closeLine(bev, report)}\n`);
  });
  const server = new Server(handlers, connectionOptions);
  drainOnStopSignals(server);
  await listenAt(server, places);
});

/** Certificates are read here, before anything listens. */
function placesOf({ port, host, unixPath, tls }: EchoServerArguments): Place[] {
  const places: Place[] = [];
  if (port !== undefined && tls === undefined) places.push({ transport: 'tcp', host, port });
  if (port !== undefined && tls !== undefined) {
    const pair = tls.bioBytes === undefined ? {} : { pairBytes: tls.bioBytes };
    const wrap = tlsWrap(tls.certFile, tls.keyFile, { ...connectionOptions, ...pair });
    places.push({ transport: 'tls', host, port, wrap });
  }
  if (unixPath !== undefined) places.push({ transport: 'unix', path: unixPath });
  return places;
}
