import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { connect, EventLoop, type Server, serve, toDuplex } from '@sluice/core';
import { expect } from 'chai';
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';
import { Bounds } from './support/bounds.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const MESSAGE_BYTES = 64 * 1024;
const MESSAGES = 1600;
const MOVE_MS_MAX = 60_000;

describe("ws on both ends of Sluice's connections", function () {
  this.timeout(MOVE_MS_MAX);
  let loop: EventLoop;
  let server: Server;
  let sockets: WebSocketServer;
  let bounds: Bounds;
  let client: WebSocket;

  beforeEach(async () => {
    loop = new EventLoop();
    bounds = new Bounds();
    const app = http.createServer();
    sockets = new WebSocketServer({ server: app });
    server = await serve(
      { host: '127.0.0.1', port: 0, loop },
      {
        connected(bev) {
          bounds.watch(bev);
          app.emit('connection', toDuplex(bev));
        },
      },
    );
    const port = [...server.listening][0]?.address.port ?? 0;
    client = new WebSocket('ws://sluice.test/', {
      createConnection: () => {
        const bev = connect({ host: '127.0.0.1', port, loop });
        bounds.watch(bev);
        return toDuplex(bev);
      },
    });
    untilTestEnds({
      async [Symbol.asyncDispose]() {
        client.terminate();
        sockets.close();
        await server.drain({ deadlineMs: 100 });
        loop.close();
      },
    });
  });

  it('echoes 100 MiB in messages, and no more is ever in memory than its marks say', async () => {
    sockets.once('connection', (socket) => {
      const stream = createWebSocketStream(socket);
      stream.pipe(stream);
    });
    await once(client, 'open');
    const stream = createWebSocketStream(client);
    const [sent, received] = [createHash('sha1'), createHash('sha1')];
    function* messages(): Generator<Buffer> {
      for (let count = 0; count < MESSAGES; count += 1) {
        const message = Buffer.alloc(MESSAGE_BYTES, count);
        sent.update(message);
        yield message;
      }
    }
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      received.update(chunk);
      bytes += chunk.length;
      if (bytes === MESSAGES * MESSAGE_BYTES) stream.destroy();
    });
    const closed = once(stream, 'close');
    await pipeline(Readable.from(messages()), stream, { end: false });
    await closed;
    expect(bytes).to.equal(MESSAGES * MESSAGE_BYTES);
    expect(received.digest('hex')).to.equal(sent.digest('hex'));
    bounds.check();
  });

  it('http/ws: text is answered by text and by bytes, then closed: each frame of its type and length', async () => {
    const heard: [string, boolean][] = [];
    sockets.once('connection', (socket) => {
      socket.on('message', (data: Buffer, isBinary) => {
        heard.push([data.toString(), isBinary]);
        socket.send('Reply message');
        socket.send(Buffer.from([1, 2, 3, 4, 5]));
        socket.close();
      });
    });
    const answers: [string, boolean][] = [];
    client.on('message', (data: Buffer, isBinary) => answers.push([data.toString('latin1'), isBinary]));
    await once(client, 'open');
    client.send('Send hello');
    const [code] = (await once(client, 'close')) as [number];
    expect(heard).to.deep.equal([['Send hello', false]]);
    expect(answers).to.deep.equal([
      ['Reply message', false],
      ['\x01\x02\x03\x04\x05', true],
    ]);
    // A close without a code.
    expect(code).to.equal(1005);
  });

  it('pings, closes with a code and a reason, and the connection below ends in order', async () => {
    const reports: string[] = [];
    await once(client, 'open');
    for (const bev of server.connections) bev.on('closed', (report) => reports.push(report.end));
    client.ping('are you there');
    const [pong] = (await once(client, 'pong')) as [Buffer];
    expect(pong.toString()).to.equal('are you there');
    client.close(4000, 'done');
    const [code, reason] = (await once(client, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).to.deep.equal([4000, 'done']);
    while (server.connections.size > 0) await new Promise(setImmediate);
    expect(reports).to.deep.equal(['end']);
  });
});
