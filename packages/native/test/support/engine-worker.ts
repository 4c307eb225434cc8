/** A worker that makes connections in memory: `count` of them and then says so, or without end when `count` is 0. */
import { parentPort, workerData } from 'node:worker_threads';
import { context, Endpoint, handshake, wire } from './engines.ts';
import { nativeQueue } from './native-queue.ts';

const { cert, key, count } = workerData as { cert: string; key: string; count: number };

const server = context({ server: true, cert, key });
const client = context({});
for (let made = 0; count === 0 || made < count; made++) {
  const ends = { client: new Endpoint(client, 512), server: new Endpoint(server, 512) };
  wire(ends.client, ends.server);
  handshake(ends.client, ends.server);
  ends.client.readAll();
  // An error list to build, with the environment perhaps ending meanwhile.
  ends.server.incoming = Buffer.from('no TLS record');
  const entries = ends.server.step('read', new Uint8Array(10));
  if (entries === undefined || nativeQueue.peek() !== undefined) throw new Error('the entries went elsewhere');
  if (made === 0) tell('begun');
  // Every other engine is left to the end of the environment.
  if (made % 2 === 0) ends.client.engine.free();
}
tell('done');

function tell(what: string): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port, not a window
  parentPort?.postMessage(what);
}
