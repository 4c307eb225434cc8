import { expect } from 'chai';
import { native } from '../src/index.ts';
import { bytes, destroyFixtures, fixture, type LoopFixture, pattern, turns } from './support/loop-fixture.ts';

const SLAB = -1;
const SCRATCH = -2;

/** Fills a connection whose peer does not read until the kernel takes no more. Returns how much it took. */
function fill(world: LoopFixture, id: number): number {
  const chunk = pattern(16_384, 7);
  let taken = 0;
  for (;;) {
    const result = world.write(id, chunk);
    expect(result).to.be.at.least(0);
    taken += result;
    if (result === 0) return taken;
  }
}

/** A pair whose client's kernel buffer is small. */
async function narrowPair(world: LoopFixture): Promise<{ client: number; server: number }> {
  const { client, server } = await world.pair();
  expect(world.loop.setSendBufferSize(client, 4096)).to.equal(0);
  return { client, server };
}

describe('flush', () => {
  afterEach(destroyFixtures);

  it('writes for many connections in one call, from the slab, the scratch and any buffer', async () => {
    const world = fixture();
    const one = await world.pair();
    const two = await world.pair();
    for (const id of [one.client, two.client]) world.loop.readStart(id);
    world.slab.set(bytes('..slab..'));
    world.scratch.set(bytes('..scratch..'));
    const buffers = [bytes('[first]'), bytes('(second)')];
    const ops = Int32Array.from([
      ...[one.server, 3, -99, SLAB, 2, 4, 0, 1, 5, SCRATCH, 2, 7],
      ...[two.server, 4, -99, 1, 1, 6, 1, 0, 1, 0, 0, 0, SCRATCH, 0, 2],
      77,
      77,
      77,
    ]);
    world.loop.flush(ops, ops.length - 3, buffers);
    expect([ops[2], ops[14]]).to.deep.equal([16, 9]);
    expect((await world.receive(one.client, 16)).toString()).to.equal('slabfirstscratch');
    expect((await world.receive(two.client, 9)).toString()).to.equal('second(..');
    expect(world.count('flushes')).to.equal(1);
    expect(world.count('writes')).to.equal(2);
    expect(world.count('bytesWritten')).to.equal(25);
    expect(world.count('writesRefused')).to.equal(0);
  });

  it('echoes out of the slab while the delivery that filled it lasts', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    for (const id of [client, server]) world.loop.readStart(id);
    world.onHappening = ({ type, id, a, b }) => {
      if (type !== 'read' || id !== server) return;
      const ops = Int32Array.from([server, 1, 0, SLAB, a, b]);
      world.loop.flush(ops, ops.length, []);
      expect(ops[2]).to.equal(b);
    };
    world.write(client, bytes('echo me'));
    expect((await world.receive(client, 7)).toString()).to.equal('echo me');
  });

  it('takes views into the middle of a buffer, and other typed arrays', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    world.loop.readStart(server);
    const whole = Buffer.from('0123456789');
    expect(world.write(client, whole.subarray(3, 6))).to.equal(3);
    expect((await world.receive(server, 3)).toString()).to.equal('345');
  });

  it('reports 0 or a short count when the socket is full, counts it, and harms nobody else', async () => {
    const world = fixture();
    const { client, server } = await narrowPair(world);
    const other = await world.pair();
    const taken = fill(world, client);
    expect(taken).to.be.above(0);
    // EAGAIN was met.
    expect(world.count('writesRefused')).to.be.at.least(1);
    expect(world.count('bytesWritten')).to.equal(taken);

    const refused = world.count('writesRefused');
    const buffers = [bytes('waits'), bytes('goes through')];
    const ops = Int32Array.from([client, 1, -99, 0, 0, 5, other.client, 1, -99, 1, 0, 12]);
    world.loop.flush(ops, ops.length, buffers);
    expect([ops[2], ops[8]]).to.deep.equal([0, 12]);
    expect(world.count('writesRefused') - refused).to.equal(1);

    world.loop.readStart(server);
    await world.receive(server, taken);
    expect(world.write(client, bytes('room again'))).to.equal(10);
  });

  it('writes more chunks than one system call takes in part', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    world.loop.readStart(server);
    const single = bytes('x');
    expect(world.write(client, ...Array.from({ length: 1500 }, () => single))).to.equal(1024);
    await world.receive(server, 1024);
    expect(world.count('writes')).to.equal(1);
    expect(world.count('writesRefused')).to.equal(0);
  });

  it('makes no system call for nothing', async () => {
    const world = fixture();
    const { client } = await world.pair();
    expect(world.write(client)).to.equal(0);
    expect(world.write(client, new Uint8Array(0), new Uint8Array(0))).to.equal(0);
    expect(world.count('writes')).to.equal(0);
    world.loop.flush(new Int32Array(0), 0, []);
    expect(world.count('flushes')).to.equal(3);
  });

  it('reports errors per connection', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    await world.close(server, true);
    await turns();
    const buffers = [bytes('x')];
    const ops = Int32Array.from([client, 1, 0, 0, 0, 1, 4444, 1, 0, 0, 0, 1]);
    world.loop.flush(ops, ops.length, buffers);
    expect(native().systemError(-(ops[2] as number))[0]).to.be.oneOf(['EPIPE', 'ECONNRESET']);
    expect(native().systemError(-(ops[8] as number))[0]).to.equal('EBADF');
  });

  it('refuses operations that pass their bounds, having done those before', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    world.loop.readStart(server);
    const five = bytes('fives');
    const good = [client, 1, -99, 0, 0, 5];
    const cases: [string, number[], unknown[]?, number?][] = [
      ['header passes', [client, 1]],
      ['chunks pass', [client, 1, 0, 0, 0]],
      ['chunks pass', [client, -1, 0]],
      ['chunks pass', [client, 2 ** 31 - 1, 0, 0, 0, 1]],
      ['names no buffer', [client, 1, 0, 1, 0, 5]],
      ['names no buffer', [client, 1, 0, -3, 0, 5]],
      ['names no buffer', [client, 1, 0, 1, 0, 5], [five, 'text']],
      ['names no buffer', [client, 1, 0, 1, 0, 5], [five, null]],
      ['outside its buffer', [client, 1, 0, 0, 0, 6]],
      ['outside its buffer', [client, 1, 0, 0, 6, 0]],
      ['outside its buffer', [client, 1, 0, 0, 1, 5]],
      ['outside its buffer', [client, 1, 0, 0, -1, 2]],
      ['outside its buffer', [client, 1, 0, 0, 1, -1]],
      ['outside its buffer', [client, 1, 0, SLAB, world.slab.length, 1]],
      ['outside its buffer', [client, 1, 0, SCRATCH, world.scratch.length - 1, 2]],
      ['opsLength passes', [client, 0, 0], [five], 1000],
      ['opsLength passes', [client, 0, 0], [five], -1],
    ];
    let expected = 0;
    for (const [text, bad, buffers = [five], length] of cases) {
      const ops = Int32Array.from([...good, ...bad]);
      expect(() => world.loop.flush(ops, length ?? ops.length, buffers as Uint8Array[]), text).to.throw(text);
      if (length === undefined) expected += 5;
      expect(ops[2]).to.equal(length === undefined ? 5 : -99);
    }
    expect(() => world.loop.flush(new Uint8Array(12) as never, 1, [])).to.throw(TypeError, 'an Int32Array');
    expect(() => world.loop.flush(Int32Array.from(good), 6, 7 as never)).to.throw('names no buffer');
    expect((await world.receive(server, expected)).length).to.equal(expected);
  });

  it('lets an exception out of a buffer list pass', async () => {
    const world = fixture();
    const { client } = await world.pair();
    const trap = new Proxy([] as Uint8Array[], {
      get() {
        throw new RangeError('from the trap');
      },
    });
    expect(() => world.loop.flush(Int32Array.from([client, 1, 0, 0, 0, 1]), 6, trap)).to.throw(
      RangeError,
      'from the trap',
    );
  });
});

describe('writeQueued', () => {
  afterEach(destroyFixtures);

  it('tells once that everything was taken, after the socket had room again', async () => {
    const world = fixture();
    const { client, server } = await narrowPair(world);
    const taken = fill(world, client);
    const rest = [pattern(300_000, 3), pattern(5, 4)];
    expect(world.loop.writeQueued(client, rest)).to.equal(0);
    // Order is kept: nothing may overtake it.
    expect(world.write(client, bytes('later'))).to.equal(0);
    await turns();
    expect(world.story(client)).to.deep.equal(['connected']);
    world.loop.readStart(server);
    expect((await world.next('written', client)).a).to.equal(0);
    const all = await world.receive(server, taken + 300_005);
    expect(Buffer.compare(all.subarray(taken), Buffer.concat(rest))).to.equal(0);
    expect(world.story(client)).to.deep.equal(['connected', 'written']);
  });

  it('keeps its buffers while the write waits, though nobody else does', async () => {
    const world = fixture();
    const { client, server } = await narrowPair(world);
    const taken = fill(world, client);
    // Views that share a buffer, and one of its own.
    (() => {
      const shared = pattern(100_000, 9);
      world.loop.writeQueued(client, [shared.subarray(0, 40_000), shared.subarray(40_000), pattern(1000, 10)]);
    })();
    for (let index = 0; index < 5; index += 1) {
      globalThis.gc?.();
      // Reuses memory that was freed.
      for (let n = 0; n < 20; n += 1) new Uint8Array(100_000).fill(255);
      await turns(1);
    }
    world.loop.readStart(server);
    const all = await world.receive(server, taken + 101_000);
    expect(Buffer.compare(all.subarray(taken), Buffer.concat([pattern(100_000, 9), pattern(1000, 10)]))).to.equal(0);
  });

  it('lets its buffers go when it is done, and when the handle closes first', async () => {
    for (const end of ['done', 'closed']) {
      const world = fixture();
      const { client, server } = await narrowPair(world);
      fill(world, client);
      const reference = (() => {
        const buffer = pattern(200_000);
        expect(world.loop.writeQueued(client, [buffer])).to.equal(0);
        return new WeakRef(buffer.buffer);
      })();
      await turns(1);
      globalThis.gc?.();
      expect(reference.deref(), end).to.not.equal(undefined);
      if (end === 'closed') await world.close(client);
      else {
        world.loop.readStart(server);
        await world.next('written', client);
      }
      do {
        await turns(1);
        globalThis.gc?.();
      } while (reference.deref() !== undefined);
    }
  });

  it('fails with the error of the connection', async () => {
    const world = fixture();
    const { client, server } = await narrowPair(world);
    fill(world, client);
    expect(world.loop.writeQueued(client, [pattern(100_000)])).to.equal(0);
    await world.close(server, true);
    const { a } = await world.next('written', client);
    expect(native().systemError(-a)[0]).to.be.oneOf(['EPIPE', 'ECONNRESET']);
  });

  it('refuses nothing to write, and what is no list of bytes', async () => {
    const world = fixture();
    const { client } = await world.pair();
    for (const empty of [[], [new Uint8Array(0)]]) {
      expect(native().systemError(-world.loop.writeQueued(client, empty))[0]).to.equal('EINVAL');
    }
    for (const wrong of [undefined, 'text', ['text'], [bytes('x'), undefined]]) {
      expect(() => world.loop.writeQueued(client, wrong as never)).to.throw(TypeError, 'array of Uint8Array');
    }
    await turns();
    expect(world.story(client)).to.deep.equal(['connected']);
  });

  it('is followed by the shutdown that was asked for after it', async () => {
    const world = fixture();
    const { client, server } = await narrowPair(world);
    const taken = fill(world, client);
    world.loop.writeQueued(client, [pattern(50_000)]);
    expect(world.loop.shutdown(client)).to.equal(0);
    expect(world.write(client, bytes('x'))).to.equal(0);
    world.loop.readStart(server);
    await world.next('eof', server);
    expect(world.received(server).length).to.equal(taken + 50_000);
    await world.next('shutdown', client);
    expect(native().systemError(-world.write(client, bytes('x')))[0]).to.equal('EPIPE');
    expect(world.story(client)).to.deep.equal(['connected', 'written', 'shutdown']);
  });
});
