/** What somebody who installed the packages might write. It sees the published files only: no source, no build tree. */
import { strict as assert } from 'node:assert';
import { connect, EvBuffer, serve } from '@sluice/core';
import { link, TestLoop } from '@sluice/core/testing';
import { SluiceError } from '@sluice/errors';
import { TlsContext } from '@sluice/tls';

const buffer = new EvBuffer();
buffer.append('one\r\ntwo');
assert.equal(buffer.readLineString(), 'one');

const server = await serve({ host: '127.0.0.1', port: 0 }, { data: (bev) => void bev.write(bev.read()) });
const [listener] = server.listening;
assert(listener !== undefined);
const client = connect({ host: '127.0.0.1', port: listener.address.port });
client.write('echo');
await new Promise((resolve) => client.on('data', () => resolve(undefined)));
assert.equal(client.read().toString(), 'echo');
assert.equal((await client.close()).end, 'end');
await server.close();

const loop = new TestLoop();
const wire = link(loop);
wire.cut('reset');
loop.settle();
assert.equal(wire.ends[0].closed?.code, 'SLUICE_SYSTEM_ECONNRESET');

assert.throws(() => TlsContext.server({ cert: 'no certificate', key: 'no key' }), SluiceError);
console.log(`the packages work on Node ${process.versions.node}`);
