import { once } from 'node:events';
import net, { BlockList } from 'node:net';
import { ApiMisuse, errorFromErrno, type LogLevel, type SluiceError } from '@sluice/errors';
import { expect } from 'chai';
import { pino } from 'pino';
import { type BufferEvent, type Handlers, EventLoop, type Logger, Server, type ServerOptions } from '../src/index.ts';

type Line = Record<string, unknown> & { level: number; msg: string };

/** pino's numbers. */
const LEVEL: Record<LogLevel, number> = { debug: 20, info: 30, warn: 40, error: 50 };

describe('ServerLog', () => {
  let loop: EventLoop;
  let uncaught: unknown[];
  let lines: Line[];
  let logger: Logger;
  const sockets: net.Socket[] = [];

  beforeEach(() => {
    uncaught = [];
    lines = [];
    loop = new EventLoop({ onUncaught: (error) => uncaught.push(error) });
    const written = { write: (line: string): void => void lines.push(JSON.parse(line) as Line) };
    // That this compiles is half of the test: pino is a Logger as it is.
    logger = pino({ level: 'debug', base: { service: 'test' } }, written);
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    loop.close();
  });

  async function serving(handlers: Handlers = {}, options: ServerOptions = {}) {
    const server = new Server(handlers, { loop, logger, ...options });
    const listener = await server.listen({ port: 0, host: '127.0.0.1' });
    return { server, listener, port: listener.address.port };
  }

  async function dial(server: Server, port: number): Promise<{ bev: BufferEvent; socket: net.Socket }> {
    const accepted = new Promise<BufferEvent>((resolve) => server.once('connection', resolve));
    const socket = net.connect(port, '127.0.0.1');
    sockets.push(socket);
    const [bev] = await Promise.all([accepted, once(socket, 'connect')]);
    return { bev, socket };
  }

  const closedOf = (bev: BufferEvent): Promise<unknown> => new Promise((resolve) => bev.once('closed', resolve));

  it('writes where a server listens, who came and went, and what draining did', async () => {
    const { server, listener, port } = await serving();
    const { bev, socket } = await dial(server, port);
    const gone = closedOf(bev);
    socket.end('bye');
    await gone;
    await server.close();
    const [listening, accepted, closed, drained] = lines;
    expect(lines.length).to.equal(4);
    expect(listening).to.deep.include({
      level: LEVEL.info,
      msg: 'listening',
      service: 'test',
      transport: 'tcp',
      address: listener.address,
    });
    expect(accepted).to.include({ level: LEVEL.debug, msg: 'connection accepted', id: bev.id, transport: 'tcp' });
    expect(accepted?.['remoteAddress']).to.include({ address: '127.0.0.1' });
    expect(closed).to.include({ level: LEVEL.debug, msg: 'connection closed', id: bev.id, end: 'end', bytesIn: 3 });
    expect(drained).to.include({ level: LEVEL.info, msg: 'drained', closed: 0, cut: 0 });
  });

  it("writes a connection's end at its error's level, with what the error knows", async () => {
    const { server, port } = await serving();
    for (const logLevel of ['debug', 'info', 'warn', 'error'] as const) {
      const { bev } = await dial(server, port);
      const error = errorFromErrno('EPROTO', { operation: 'parse', logLevel });
      const gone = closedOf(bev);
      bev.destroy(error);
      await gone;
      const line = lines.at(-1);
      expect(line).to.include({ level: LEVEL[logLevel], id: bev.id, code: error.code, blame: error.blame });
      expect(line?.msg).to.equal(`connection closed: ${error.message}`);
      expect(line?.['entries']).to.deep.equal(error.describeEntries());
      expect(line?.['err']).to.include({ message: error.message, code: error.code, remedy: error.remedy });
    }
  });

  it("gives a connection's handlers its logger, also in closed, and one that says nothing without", async () => {
    const { server, port } = await serving({ closed: (bev) => server.loggerOf(bev).warn({ in: 'closed' }, 'mine') });
    const { bev } = await dial(server, port);
    server.loggerOf(bev).info({ user: 'ada' }, 'logged in');
    expect(lines.at(-1)).to.include({ msg: 'logged in', user: 'ada', id: bev.id, service: 'test' });
    const gone = closedOf(bev);
    bev.destroy();
    await gone;
    expect(lines.at(-1)).to.include({ msg: 'mine', id: bev.id });

    const silent = new Server({}, { loop });
    const written = lines.length;
    silent.loggerOf(bev).error({}, 'nobody hears');
    expect(lines.length).to.equal(written);
  });

  it('writes the first of those that are not taken', async () => {
    const blockList = new BlockList();
    blockList.addAddress('127.0.0.1');
    const { server, port } = await serving({}, { limits: { blockList } });
    const rejected = new Promise((resolve) => server.once('rejected', resolve));
    sockets.push(net.connect(port, '127.0.0.1').on('error', () => {}));
    await rejected;
    expect(lines.at(-1)).to.include({ level: LEVEL.warn, msg: 'connection not taken', reason: 'blocked' });
  });

  it('writes that accepting failed, at the level of the error', async () => {
    const { listener } = await serving();
    listener._handleAcceptError(-24);
    const line = lines.at(-1);
    const err = line?.['err'] as SluiceError;
    expect(line).to.include({ msg: 'accepting failed', level: LEVEL[err.logLevel] });
    expect(err.code).to.contain('EMFILE');
  });

  it('ends nothing when the logger throws', async () => {
    const broken = (): never => {
      throw new ApiMisuse('the disk is full', { layer: 'application', operation: 'log' });
    };
    logger = { debug: broken, info: broken, warn: broken, error: broken };
    const { server, port } = await serving();
    const { bev } = await dial(server, port);
    expect(bev.closed).to.equal(undefined);
    const gone = closedOf(bev);
    bev.destroy();
    await gone;
    await server.close();
    expect(uncaught.map((error) => (error as Error).message)).to.deep.equal(Array(4).fill('the disk is full'));
  });
});
