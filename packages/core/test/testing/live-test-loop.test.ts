import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { connect, Listener, SocketBufferEvent } from '../../src/index.ts';
import { LiveTestLoop } from '../../src/testing/index.ts';

describe('LiveTestLoop', () => {
  let loop: LiveTestLoop;

  beforeEach(() => {
    loop = new LiveTestLoop();
  });

  afterEach(() => {
    loop.close();
  });

  it('settles when turns, streams and sockets have nothing more to do, and no time has passed', async () => {
    const stream = new PassThrough();
    const heard: string[] = [];
    stream.on('data', (chunk: Buffer) => loop.defer(() => heard.push(chunk.toString())));
    loop.deferNext(() => stream.write('from a stream'));
    const listener: Listener = new Listener(loop, { address: '127.0.0.1' }, (handle) => {
      SocketBufferEvent.accepted(loop, 'tcp', handle, {}).write('from a socket');
    });
    const client = connect({ loop, host: '127.0.0.1', port: listener.address.port });
    client.on('data', () => heard.push(client.read().toString()));
    await loop.settle();
    expect(heard.sort()).to.deep.equal(['from a socket', 'from a stream']);
    expect(loop.now()).to.equal(0);
    client.destroy();
    await listener.close();
  });

  it('lets time pass for timers, each at its own moment, and for those that they start', async () => {
    const at: number[] = [];
    loop.timer(20, () => {
      at.push(loop.now());
      loop.timer(5, () => at.push(loop.now()));
    });
    loop.timer(10, () => at.push(loop.now()));
    loop.timer(31, () => at.push(loop.now()));
    await loop.advance(30);
    expect(at).to.deep.equal([10, 20, 25]);
    expect(loop.now()).to.equal(30);
  });

  it('says so when something spins', async () => {
    let spins = true;
    const again = (): void => {
      if (spins) loop.deferNext(again);
    };
    again();
    const failure = await loop.settle(50).catch((error: unknown) => error);
    expect(failure)
      .to.be.instanceOf(Error)
      .with.property('message')
      .that.matches(/still busy after 50 polls/u);
    spins = false;
    await loop.settle();
  });

  it('keeps the exceptions of callbacks', async () => {
    const bug = new Error('a bug');
    loop.defer(() => {
      throw bug;
    });
    await loop.settle();
    expect(loop.uncaughtErrors).to.deep.equal([bug]);
  });
});
