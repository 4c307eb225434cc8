import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { BlockList } from 'node:net';
import process from 'node:process';
import { LimitError } from '@sluice/errors';
import { expect } from 'chai';
import {
  type BufferEvent,
  type ConnectionOptions,
  connect,
  type DiagnosticMessages,
  EventLoop,
  PairBufferEvent,
  Server,
} from '../src/index.ts';
import { capError } from '../src/bufferevent-errors.ts';
import {
  tellAccept,
  tellClose,
  tellConnectEnd,
  tellConnectStart,
  tellInput,
  tellLimit,
  tellNotTaken,
  tellOutput,
} from '../src/diagnostics.ts';
import { link, TestLoop } from '../src/testing/index.ts';

type Name = keyof DiagnosticMessages;

const NAMES: readonly Name[] = [
  'sluice.connect.start',
  'sluice.connect.end',
  'sluice.server.accept',
  'sluice.connection.close',
  'sluice.buffer.pressure',
  'sluice.limit.rejected',
];

describe('diagnostics', () => {
  const ends: (() => void)[] = [];

  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  /** What is published on a channel until the test is over. */
  function hear<N extends Name>(name: N): DiagnosticMessages[N][] {
    const heard: DiagnosticMessages[N][] = [];
    const listener = (message: unknown): void => void heard.push(message as DiagnosticMessages[N]);
    subscribe(name, listener);
    ends.push(() => unsubscribe(name, listener));
    return heard;
  }

  function linked(options: ConnectionOptions = {}) {
    const loop = new TestLoop();
    const wires = link(loop, { first: options, second: {} });
    return { loop, wires, bev: wires.ends[0], peer: wires.ends[1] };
  }

  it('tells when input reaches its high watermark, and when it is below again, once each', () => {
    const { loop, bev, peer } = linked({ watermarks: { read: { high: 100 } } });
    const heard = hear('sluice.buffer.pressure');
    peer.write(Buffer.alloc(100));
    loop.settle();
    expect(heard).to.deep.equal([{ bev, direction: 'read', level: 'high', bytes: 100 }]);
    bev.setWatermarks({ read: { high: 50 } });
    expect(heard.length).to.equal(1);
    bev.read(60);
    expect(heard.slice(1)).to.deep.equal([{ bev, direction: 'read', level: 'low', bytes: 40 }]);
    bev.setWatermarks({ read: { high: 40 } });
    bev.setWatermarks({ read: { high: 41 } });
    expect(heard.slice(2).map(({ level }) => level)).to.deep.equal(['high', 'low']);
  });

  it('tells when output reaches its high watermark, and when it has drained, once each', () => {
    const { loop, wires, bev } = linked({ watermarks: { write: { low: 10, high: 100 } } });
    const heard = hear('sluice.buffer.pressure');
    wires.cork(bev);
    bev.write(Buffer.alloc(99));
    expect(heard).to.deep.equal([]);
    bev.write(Buffer.alloc(2));
    bev.write(Buffer.alloc(2));
    expect(heard).to.deep.equal([{ bev, direction: 'write', level: 'high', bytes: 101 }]);
    wires.uncork(bev);
    loop.settle();
    expect(heard.slice(1)).to.deep.equal([{ bev, direction: 'write', level: 'low', bytes: 0 }]);
    bev.write('x'.repeat(11));
    loop.settle();
    expect(heard.length, 'nothing drained that was not full').to.equal(2);
  });

  it('tells of a close, with its report, once', () => {
    const { loop, bev, peer } = linked();
    const heard = hear('sluice.connection.close');
    const order: string[] = [];
    bev.on('closed', () => order.push(`closed after ${heard.length}`));
    bev.destroy();
    expect(heard).to.deep.equal([]);
    loop.settle();
    expect(heard.map((message) => message.bev).sort(byId)).to.deep.equal([bev, peer]);
    expect(heard.find((message) => message.bev === bev)?.report).to.equal(bev.closed);
    expect(order).to.deep.equal(['closed after 1']);
  });

  it('tells of a write past the cap, and of a connection that a limit ended, and not of other errors', () => {
    const { loop, bev, peer } = linked({ watermarks: { write: { cap: 100_000 } } });
    const heard = hear('sluice.limit.rejected');
    expect(() => bev.write(Buffer.alloc(100_001))).to.throw(LimitError);
    expect(heard.length).to.equal(1);
    expect(heard[0]).to.include({ limit: 'SLUICE_CORE_WRITE_CAP', bev, server: undefined });
    expect(heard[0]?.error).to.be.instanceOf(LimitError);
    bev.on('data', () => void bev.input.readLine('lf', 10));
    peer.write('no end of line in sight');
    loop.settle();
    expect(bev.closed?.code).to.equal('SLUICE_CORE_LINE_TOO_LONG');
    expect(heard.slice(1).map(({ limit }) => limit)).to.deep.equal(['SLUICE_CORE_LINE_TOO_LONG']);

    const other = linked();
    other.wires.cut('reset');
    other.loop.settle();
    expect(other.bev.closed?.end).to.equal('reset');
    expect(heard.length).to.equal(2);
  });

  it('tells of connecting, accepting, and of peers that are not taken', async () => {
    const loop = new EventLoop();
    ends.push(() => loop.close());
    const [starts, stands, accepts, rejects] = [
      hear('sluice.connect.start'),
      hear('sluice.connect.end'),
      hear('sluice.server.accept'),
      hear('sluice.limit.rejected'),
    ];
    const blockList = new BlockList();
    const server = new Server({}, { loop, limits: { blockList } });
    const listener = await server.listen({ port: 0, host: '127.0.0.1' });
    const { port } = listener.address;
    const client = connect({ loop, port, host: '127.0.0.1' });
    expect(starts).to.deep.equal([{ bev: client, host: '127.0.0.1', port, path: undefined }]);
    const [bev] = await Promise.all([
      new Promise<BufferEvent>((resolve) => server.once('connection', resolve)),
      new Promise((resolve) => client.once('connected', () => resolve(undefined))),
    ]);
    expect(stands).to.deep.equal([{ bev: client, connected: true, error: undefined }]);
    expect(accepts).to.deep.equal([{ bev, server, listener }]);

    blockList.addAddress('127.0.0.1');
    const blocked = connect({ loop, port, host: '127.0.0.1' });
    await new Promise((resolve) => blocked.once('closed', resolve));
    expect(rejects.length).to.equal(1);
    expect(rejects[0]).to.include({ limit: 'blocked', server, listener, bev: undefined });
    expect(rejects[0]?.address?.address).to.equal('127.0.0.1');

    await server.close();
    stands.length = 0;
    const refused = connect({ loop, port, host: '127.0.0.1' });
    const given = connect({ loop, port, host: '127.0.0.1' });
    given.destroy();
    await new Promise((resolve) => refused.once('closed', resolve));
    expect(stands.find((message) => message.bev === given)).to.include({ connected: false, error: undefined });
    const failure = stands.filter((message) => message.bev === refused);
    expect(failure).to.deep.equal([{ bev: refused, connected: false, error: refused.closed?.error }]);
    expect(failure[0]?.error?.code).to.equal('SLUICE_SYSTEM_ECONNREFUSED');
    expect(() => connect({ loop, port: 0 })).to.throw('port');
    expect(starts.length, 'a call that throws starts nothing').to.equal(4);
  });

  describe('while nobody subscribes', () => {
    const options = { watermarks: { read: { high: 1000 }, write: { low: 100, high: 1000, cap: 10_000 } } };
    const piece = Buffer.alloc(1000);

    /** A pair of connections meets all the marks there are, `rounds` times. */
    function press(rounds: number): void {
      const loop = new TestLoop();
      const [sender, receiver] = PairBufferEvent.create(loop, options);
      for (let round = 0; round < rounds; round += 1) {
        sender.write(piece);
        loop.settle();
        receiver.input.drain();
      }
      sender.destroy();
      loop.settle();
    }

    it('nothing is published', () => {
      const published: string[] = [];
      for (const name of NAMES) {
        const open = channel(name);
        Object.defineProperty(open, 'publish', { value: () => published.push(name), configurable: true });
        ends.push(() => void Reflect.deleteProperty(open, 'publish'));
      }
      press(10);
      expect(published).to.deep.equal([]);
      subscribe('sluice.buffer.pressure', nothing);
      ends.push(() => unsubscribe('sluice.buffer.pressure', nothing));
      press(10);
      expect(published.length, 'what would have been').to.equal(40);
    });

    it('no message is made', () => {
      const { bev } = linked();
      const { server, listener, report } = { server: bev as never, listener: bev as never, report: bev as never };
      const error = capError(1, 1, 1);
      const to = { port: 1 };
      const calls = 2000;
      const tellAll = (): void => {
        for (let call = 0; call < calls; call += 1) {
          tellConnectStart(bev, to);
          tellConnectEnd(bev, true);
          tellAccept(bev, server, listener);
          tellClose(bev, report);
          tellInput(bev, 'high');
          tellOutput(bev, call % 2 === 0 ? 'high' : 'low');
          tellLimit(bev, error);
          tellNotTaken(server, listener, 'blocked', undefined);
        }
      };
      // A collection, or the compiler's work, may fall into a few of the rounds, and not into most of them.
      const medianBytesPerCall = (): number => median(Array.from({ length: 9 }, () => bytesAllocated(tellAll) / calls));
      bytesAllocated(tellAll);
      expect(medianBytesPerCall()).to.be.below(1);
      for (const name of NAMES) {
        subscribe(name, nothing);
        ends.push(() => unsubscribe(name, nothing));
      }
      expect(medianBytesPerCall(), 'a message of each').to.be.above(8 * 16);
    });

    it('nothing is looked at for one', () => {
      const { bev } = linked();
      let looks = 0;
      const watched = new Proxy(bev, {
        get(target, name) {
          looks += 1;
          return Reflect.get(target, name, target) as unknown;
        },
      });
      const tell = (): void => {
        tellInput(watched, 'high');
        tellOutput(watched, 'high');
        tellOutput(watched, 'low');
      };
      tell();
      expect(looks).to.equal(0);
      subscribe('sluice.buffer.pressure', nothing);
      ends.push(() => unsubscribe('sluice.buffer.pressure', nothing));
      tell();
      expect(looks, 'at the lengths of three messages').to.equal(3);
    });
  });
});

function nothing(): void {}

function byId(a: BufferEvent, b: BufferEvent): number {
  return a.id - b.id;
}

/** By how much the heap has grown with it. */
function bytesAllocated(work: () => void): number {
  gc?.({ type: 'minor' });
  const before = process.memoryUsage().heapUsed;
  work();
  return process.memoryUsage().heapUsed - before;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
