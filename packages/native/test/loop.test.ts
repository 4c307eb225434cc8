import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { COUNTERS_LENGTH, type NativeLoop, native, RecordType } from '../src/index.ts';
import { bytes, destroyFixtures, fixture, type LoopFixture, pattern, turn, turns } from './support/loop-fixture.ts';

/** Several clients, connected and accepted. */
async function crowd(
  world: LoopFixture,
  size: number,
): Promise<{ clients: number[]; servers: number[]; listener: number }> {
  const { listener, port } = world.listen();
  const clients = Array.from({ length: size }, () => world.connect(port));
  const servers: number[] = [];
  while (servers.length < size) servers.push((await world.next('accept', listener)).a);
  for (const client of clients) expect((await world.next('connected', client)).a).to.equal(0);
  return { clients, servers, listener };
}

describe('Loop: arguments', () => {
  const views = (): [Uint8Array, Uint8Array, Int32Array, Float64Array] => [
    new Uint8Array(1024),
    new Uint8Array(1024),
    new Int32Array(64),
    new Float64Array(COUNTERS_LENGTH),
  ];
  const Loop = (): (new (...args: unknown[]) => NativeLoop) => native().Loop as never;

  it('refuses arguments of a wrong type, one by one', () => {
    const good = [...views(), () => {}];
    for (let index = 0; index < good.length; index += 1) {
      const bad = good.with(index, 'wrong' as never);
      expect(() => new (Loop())(...bad), `argument ${index}`).to.throw(TypeError, `argument ${index} must be`);
    }
    expect(() => new (Loop())()).to.throw(TypeError, 'argument 0');
    const swapped = good.with(2, new Float64Array(64));
    expect(() => new (Loop())(...swapped)).to.throw(TypeError, 'argument 2 must be an Int32Array');
  });

  it('refuses views without room', () => {
    const [slab, scratch, records, counters] = views();
    const make =
      (...args: unknown[]) =>
      () =>
        new (Loop())(...args, () => {});
    expect(make(slab.subarray(0, 63), scratch, records, counters)).to.throw('the slab needs 64 bytes');
    expect(make(slab, scratch, records.subarray(0, 3), counters)).to.throw('no room for a record');
    expect(make(slab, scratch, records, counters.subarray(1))).to.throw('no room for the counters');
  });

  it('is a class, and its methods know their own', () => {
    expect(() => (Loop() as unknown as () => void)()).to.throw('must be called with new');
    const { loop } = fixture();
    expect(() => loop.handleCount.call({} as NativeLoop)).to.throw(TypeError);
    expect(() => loop.readStart('1' as never)).to.throw(TypeError, 'argument 0 must be a number');
    expect(() => loop.close(1, 1 as never)).to.throw(TypeError, 'argument 1 must be a boolean');
  });

  afterEach(destroyFixtures);
});

describe('Loop: delivery', () => {
  afterEach(destroyFixtures);

  it('brings what many connections did in one call', async () => {
    const world = fixture();
    const { clients, servers } = await crowd(world, 8);
    await turns();
    for (const server of servers) expect(world.loop.readStart(server)).to.equal(0);
    const before = world.count('deliveries');
    for (const client of clients) expect(world.write(client, bytes('ping'))).to.equal(4);
    await Promise.all(servers.map((server) => world.next('read', server)));
    expect(world.count('deliveries') - before).to.equal(1);
    expect(world.count('reads')).to.equal(8);
    expect(world.count('bytesRead')).to.equal(32);
  });

  it('drains next ticks and promise jobs before it returns to the loop', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    const order: string[] = [];
    world.onDelivered = () => {
      order.push('delivered');
      process.nextTick(() => order.push('tick'));
      queueMicrotask(() => order.push('job'));
    };
    setImmediate(() => order.push('immediate'));
    world.loop.readStart(server);
    world.write(client, bytes('x'));
    await world.next('read', server);
    while (!order.includes('immediate')) await turn();
    const at = order.indexOf('delivered');
    expect(order.slice(at, at + 3)).to.deep.equal(['delivered', 'tick', 'job']);
  });

  it('turns an exception of deliver into an uncaught one, and goes on', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      const uncaught = once(process, 'uncaughtException') as Promise<[Error]>;
      world.onDelivered = () => {
        world.onDelivered = () => {};
        throw new Error('thrown in deliver');
      };
      world.loop.readStart(server);
      world.write(client, bytes('one'));
      expect((await uncaught)[0].message).to.equal('thrown in deliver');
    } finally {
      for (const listener of others) process.on('uncaughtException', listener);
    }
    world.write(client, bytes('two'));
    expect((await world.receive(server, 6)).toString()).to.equal('onetwo');
  });

  it('loses nothing when the record array is smaller than what happens', async () => {
    for (const records of [1, 2, 4]) {
      const world = fixture({ records });
      const { clients, servers, listener } = await crowd(world, 9);
      for (const server of servers) world.loop.readStart(server);
      for (const client of clients) expect(world.write(client, bytes(`from ${client}`))).to.be.above(0);
      await Promise.all(servers.map((server) => world.next('read', server)));
      world.onDelivered = (count) => expect(count).to.be.within(1, records);
      for (const id of [...clients, ...servers, listener]) world.loop.close(id, false);
      await Promise.all([...clients, ...servers, listener].map((id) => world.next('closed', id)));
      for (const id of [...clients, ...servers, listener]) {
        expect(world.story(id).filter((type) => type === 'closed')).to.have.lengthOf(1);
        expect(world.story(id).at(-1)).to.equal('closed');
      }
      expect(world.count('records')).to.equal(world.happened.length);
      expect(world.loop.handleCount()).to.equal(0);
    }
  });

  it('keeps records that appear during a delivery for the next one, in order', async () => {
    // With room for one record the array is full besides.
    for (const records of [256, 1]) {
      const world = fixture({ records });
      const one = world.listen();
      const two = world.listen();
      const probe = await world.pair();
      for (const { listener } of [one, two]) expect(world.loop.pauseAccept(listener)).to.equal(0);
      for (const client of [world.connect(one.port), world.connect(two.port)]) await world.next('connected', client);
      await turns();
      expect(world.story(one.listener)).to.deep.equal([]);

      world.loop.readStart(probe.server);
      world.onHappening = ({ type }) => {
        if (type !== 'read') return;
        world.onHappening = () => {};
        expect(world.loop.resumeAccept(two.listener)).to.equal(0);
        expect(world.loop.resumeAccept(one.listener)).to.equal(0);
        // The array is JavaScript's while it is read.
        expect([...world.records.subarray(0, 2)]).to.deep.equal([RecordType.read, probe.server]);
      };
      world.write(probe.client, bytes('go'));
      const { delivery } = await world.next('read', probe.server);
      const second = await world.next('accept', two.listener);
      const first = await world.next('accept', one.listener);
      expect(second.delivery).to.equal(delivery + 1);
      expect(first.delivery).to.equal(delivery + (records === 1 ? 2 : 1));
      expect(world.happened.indexOf(second)).to.be.below(world.happened.indexOf(first));
      expect(first.a).to.not.equal(second.a);
    }
  });

  it('leaves bytes in the kernel while there is no room for their record', async () => {
    const world = fixture({ records: 1 });
    const { clients, servers } = await crowd(world, 2);
    const held = world.listen();
    world.loop.pauseAccept(held.listener);
    await world.next('connected', world.connect(held.port));
    await turns();
    for (const server of servers) world.loop.readStart(server);
    // The first read's delivery leaves a record behind, which fills the array when the second read comes.
    world.onHappening = ({ type }) => {
      if (type === 'read') world.loop.resumeAccept(held.listener);
    };
    for (const client of clients) world.write(client, bytes('in the same poll'));
    await Promise.all([...servers.map((server) => world.next('read', server)), world.next('accept', held.listener)]);
    for (const server of servers) {
      expect(world.story(server)).to.deep.equal(['read']);
      expect(world.received(server).toString()).to.equal('in the same poll');
    }
  });

  it('delivers more often when the slab is tiny, and every byte', async () => {
    const world = fixture({ slabBytes: 64 });
    const { client, server } = await world.pair();
    const sent = pattern(1000);
    world.loop.readStart(server);
    expect(world.write(client, sent)).to.equal(1000);
    expect(Buffer.compare(await world.receive(server, 1000), sent)).to.equal(0);
    expect(world.count('reads')).to.be.at.least(Math.ceil(1000 / 64));
    for (const { type, a, b } of world.happened) if (type === 'read') expect(a + b).to.be.at.most(64);
  });

  it('hands out the slab in aligned parts of at most 64 KiB', async () => {
    const world = fixture({ slabBytes: 1 << 20 });
    const { clients, servers } = await crowd(world, 3);
    for (const client of clients) expect(world.write(client, bytes('odd'))).to.equal(3);
    for (const server of servers) world.loop.readStart(server);
    await Promise.all(servers.map((server) => world.next('read', server)));
    const offsets = world.happened.filter(({ type }) => type === 'read').map(({ a }) => a);
    expect(offsets.filter((offset) => offset % 8 !== 0)).to.deep.equal([]);
    expect(new Set(offsets).size).to.be.above(1);

    expect(world.loop.writeQueued(clients[0] as number, [pattern(300_000)])).to.equal(0);
    await world.next('written', clients[0]);
    while (world.count('bytesRead') < 300_009) await turn();
    for (const { type, b } of world.happened) if (type === 'read') expect(b).to.be.at.most(65_536);
  });

  it('does nothing while nothing happens', async () => {
    const world = fixture();
    await world.pair();
    await turns();
    const before = [...world.counters];
    await turns(200);
    expect([...world.counters]).to.deep.equal(before);
  });

  it('blocks while nothing happens: it is not kept turning', () => {
    const script = fileURLToPath(new URL('support/idle.ts', import.meta.url));
    // Node 22 warns of type stripping.
    const args = ['--disable-warning=ExperimentalWarning', ...process.execArgv, script];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).to.equal('');
    expect(Number.parseInt(stdout, 10)).to.be.within(1, 10);
  });
});

describe('Loop: handle numbers', () => {
  afterEach(destroyFixtures);

  it('refuses numbers that were never given out, and those of closed handles', async () => {
    const world = fixture();
    const { loop } = world;
    const { client } = await world.pair();
    const ebadf = loop.readStart(99);
    expect(ebadf).to.be.below(0);
    expect(native().systemError(-ebadf)[0]).to.equal('EBADF');
    loop.close(client, false);
    for (const id of [-1, 99, 2 ** 31 - 1, client]) {
      expect(loop.readStart(id)).to.equal(ebadf);
      expect(loop.readStop(id)).to.equal(ebadf);
      expect(loop.pauseAccept(id)).to.equal(ebadf);
      expect(loop.resumeAccept(id)).to.equal(ebadf);
      expect(loop.shutdown(id)).to.equal(ebadf);
      expect(loop.writeQueued(id, [bytes('x')])).to.equal(ebadf);
      expect(world.write(id, bytes('x'))).to.equal(ebadf);
      expect(loop.localAddress(id)).to.equal(ebadf);
      expect(loop.remoteAddress(id)).to.equal(ebadf);
      expect(loop.fd(id)).to.equal(ebadf);
      expect(loop.setNoDelay(id, true)).to.equal(ebadf);
      expect(loop.setKeepAlive(id, true, 1)).to.equal(ebadf);
      expect(loop.setSendBufferSize(id, 4096)).to.equal(ebadf);
      expect(loop.setReceiveBufferSize(id, 4096)).to.equal(ebadf);
      expect(loop.pollStart(id, 1)).to.equal(ebadf);
      loop.setRef(id, false);
      loop.close(id, false);
    }
  });

  it('gives a number again only after its closed record was delivered', async () => {
    const world = fixture();
    const { client, listener } = await world.pair();
    const port = world.port(listener);
    const during: number[] = [];
    world.onHappening = ({ type, id }) => {
      if (type === 'closed' && id === client) during.push(world.connect(port));
    };
    world.loop.close(client, false);
    during.push(world.connect(port));
    await world.next('closed', client);
    await turn();
    during.push(world.connect(port));
    expect(during[0]).to.not.equal(client);
    expect(during[1]).to.not.equal(client);
    expect(during[2]).to.equal(client);
  });
});

describe('Loop: destroy', () => {
  afterEach(destroyFixtures);

  it('closes everything without a further record', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    world.loop.readStart(server);
    world.loop.writeQueued(client, [pattern(50_000)]);
    const before = world.happened.length;
    world.loop.destroy();
    world.loop.destroy();
    expect(world.loop.handleCount()).to.equal(3);
    while (world.loop.handleCount() > 0) await turn();
    await turns();
    expect(world.happened.length).to.equal(before);
  });

  it('opens nothing afterwards', async () => {
    const { loop } = fixture();
    loop.destroy();
    for (const result of [
      loop.listenTcp('127.0.0.1', 0, 1, 0),
      loop.listenPipe('/tmp/never', 1),
      loop.connectTcp('127.0.0.1', 1),
      loop.connectPipe('/tmp/never'),
      loop.pollOpen(1),
    ]) {
      expect(native().systemError(-result)[0]).to.equal('ECANCELED');
    }
    expect(loop.handleCount()).to.equal(0);
  });

  it('may happen inside a delivery, with records of it unread', async () => {
    const world = fixture();
    const { clients, servers } = await crowd(world, 4);
    for (const server of servers) world.loop.readStart(server);
    world.onHappening = ({ type }) => {
      if (type === 'read') world.loop.destroy();
    };
    for (const client of clients) world.write(client, bytes('x'));
    while (world.loop.handleCount() > 0) await turn();
    const told = world.happened.length;
    await turns();
    expect(world.happened.length).to.equal(told);
  });
});

describe('Loop: garbage', () => {
  it('is collected when nothing is open', async () => {
    const { reference, listener } = abandoned();
    // Not through a variable: a suspended function would keep the loop.
    (() => reference.deref()?.close(listener, false))();
    await collected(reference);
  });

  it('lives as long as a handle of it does, though nobody refers to it', async () => {
    const { reference, listener, port } = abandoned();
    for (let index = 0; index < 5; index += 1) {
      await turn();
      globalThis.gc?.();
    }
    const world = fixture();
    const client = world.connect(port);
    expect((await world.next('connected', client)).a).to.equal(0);
    world.loop.readStart(client);
    await world.next('eof', client);
    (() => reference.deref()?.close(listener, false))();
    await collected(reference);
    await destroyFixtures();
  });
});

/** A listening loop that closes what it accepts. Its `deliver` refers to it, as real ones do. */
function abandoned(): { reference: WeakRef<NativeLoop>; listener: number; port: number } {
  const records = new Int32Array(64);
  const loop: NativeLoop = new (native().Loop)(
    new Uint8Array(4096),
    new Uint8Array(64),
    records,
    new Float64Array(COUNTERS_LENGTH),
    () => {
      if (records[0] === RecordType.accept) loop.close(records[2] as number, false);
    },
  );
  const listener = loop.listenTcp('127.0.0.1', 0, 8, 0);
  const address = loop.localAddress(listener);
  return { reference: new WeakRef(loop), listener, port: typeof address === 'number' ? 0 : address.port };
}

/** Collects garbage until the object is gone; if it never is, mocha's limit ends the test. */
async function collected(reference: WeakRef<object>): Promise<void> {
  do {
    await turn();
    globalThis.gc?.();
  } while (reference.deref() !== undefined);
}
