import { listenAt, type Place } from '../support/listening.ts';
import { run } from '../support/run.ts';
import { drainOnStopSignals } from '../support/stop-signals.ts';
import { tlsWrap } from '../support/tls-files.ts';
import { HELP, type KvServerArguments, parseOptions } from './options.ts';
import { connectionOptions, createKvServer } from './server.ts';

await run('kv-server', async (argv) => {
  const options = parseOptions(argv);
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const places = placesOf(options);
  const kv = createKvServer(
    options.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: options.memoryLimitBytes },
  );
  Object.assign(kv.settings, {
    tcpPort: options.port ?? 0,
    host: options.host,
    unixPath: options.unixPath,
    tlsPort: options.tls?.port,
  });
  drainOnStopSignals(kv);
  await listenAt(kv.server, places);
});

/** Certificates are read here, before anything listens. */
function placesOf({ port, host, unixPath, tls }: KvServerArguments): Place[] {
  const places: Place[] = [];
  if (port !== undefined) places.push({ transport: 'tcp', host, port });
  if (unixPath !== undefined) places.push({ transport: 'unix', path: unixPath });
  if (tls !== undefined) {
    const wrap = tlsWrap(tls.certFile, tls.keyFile, connectionOptions);
    places.push({ transport: 'tls', host, port: tls.port, wrap });
  }
  return places;
}
