/** Echoes what comes over descriptor 3, a listening socket (`listen`, one connection) or a connected one (`open`). */
import process from 'node:process';
import { fixture } from './loop-fixture.ts';

const world = fixture();
const { loop } = world;
let connection: number;
if (process.argv[2] === 'listen') {
  const listener = loop.listenFd(3, 16);
  if (listener < 0) throw new Error(`listenFd failed: ${listener}`);
  connection = (await world.next('accept', listener)).a;
  loop.close(listener, false);
} else {
  connection = loop.openFd(3);
  if (connection < 0) throw new Error(`openFd failed: ${connection}`);
}
loop.readStart(connection);
await world.next('eof', connection);
loop.writeQueued(connection, [world.received(connection)]);
await world.next('written', connection);
await world.close(connection);
