import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { serverCertificate } from '../../../test/support/certificates.ts';
import type { TestCertificate } from '../../../test/support/certificates.ts';
import { TLS_RESULT_LENGTH, TlsOp } from '../src/binding.ts';
import { binding, context, Endpoint, handshake, wire } from './support/engines.ts';
import { nativeQueue as queue } from './support/native-queue.ts';

describe("an engine's life", () => {
  let good: TestCertificate;
  before(async () => {
    good = await serverCertificate();
  });
  const pair = (pairBytes = 17_408): { client: Endpoint; server: Endpoint } => {
    const { certPem: cert, keyPem: key } = good;
    const ends = {
      client: new Endpoint(context({}), pairBytes),
      server: new Endpoint(context({ server: true, cert, key }), pairBytes),
    };
    wire(ends.client, ends.server);
    return ends;
  };
  const collect = async (): Promise<void> => {
    for (let round = 0; round < 4; round++) {
      globalThis.gc?.();
      await setImmediate();
    }
  };

  describe('misuse', () => {
    const nothing = new Uint8Array(0);
    const results = new Int32Array(TLS_RESULT_LENGTH);
    const method = (object: object, name: string): (() => unknown) => Reflect.get(object, name);

    it('of step throws and changes nothing', () => {
      const { engine } = pair().client;
      const bytes = new Uint8Array(10);
      const step = (op: number, offset: number, length: number, array: Uint8Array | undefined = bytes): unknown =>
        engine.step(op, array, offset, length, undefined, 0, 0, undefined, 0, 0);
      expect(() => step(TlsOp.move, 5, 6)).to.throw(RangeError, 'exceeds its array');
      expect(() => step(TlsOp.move, -1, 1)).to.throw(RangeError);
      expect(() => step(TlsOp.move, 1, -1)).to.throw(RangeError);
      expect(() => step(TlsOp.move, 2 ** 31 - 1, 2 ** 31 - 1)).to.throw(RangeError);
      expect(() => engine.step(0, undefined, 0, 1, undefined, 0, 0, undefined, 0, 0)).to.throw(RangeError);
      expect(() => step(7, 0, 0)).to.throw('no such operation');
      expect(() => step(-1, 0, 0)).to.throw('no such operation');
      expect(() => step(TlsOp.read, 0, 0)).to.throw('room for at least one byte');
      // @ts-expect-error -- a bug of the caller's
      expect(() => step(TlsOp.move, 0, 0, 'text')).to.throw(TypeError, 'argument 1 must be a typed array');
      // @ts-expect-error -- a bug of the caller's
      expect(() => engine.step()).to.throw(TypeError);
      const detached = new Uint8Array(10);
      structuredClone(detached, { transfer: [detached.buffer] });
      expect(() => step(TlsOp.move, 0, 10, detached)).to.throw(RangeError);
    });

    it('of tlsEngine throws', () => {
      const make = (...args: readonly unknown[]): (() => unknown) => {
        return () => Reflect.apply(method(binding, 'tlsEngine'), binding, args);
      };
      const good = context({});
      expect(make({}, 17, '', results)).to.throw('context must come from tlsContext');
      expect(make(undefined, 17, '', results)).to.throw('context must come from tlsContext');
      expect(make(pair().client.engine, 17, '', results)).to.throw('context must come from tlsContext');
      expect(make(good, 0, '', results)).to.throw('storeBytes must be 1 or more');
      expect(make(good, 17, 'a\0.example', results)).to.throw('NUL');
      expect(make(good, 17, '', new Int32Array(TLS_RESULT_LENGTH - 1))).to.throw(TypeError, 'TLS_RESULT_LENGTH');
      expect(make(good, 17, '', new Uint32Array(TLS_RESULT_LENGTH))).to.throw(TypeError, 'Int32Array');
      expect(make(good, 17, 5, results)).to.throw(TypeError, 'argument 2 must be a string');
    });

    it('of the class throws', () => {
      const { engine } = pair().client;
      expect(() => Reflect.construct(engine.constructor, [])).to.throw('use tlsContext or tlsEngine');
      expect(() => Reflect.apply(method(engine, 'step'), {}, [])).to.throw(TypeError);
      expect(() => Reflect.apply(method(engine, 'free'), context({}), [])).to.throw(TypeError);
    });

    it('of a name that OpenSSL refuses is a failure that says so', () => {
      const made = binding.tlsEngine(context({}), 17, 'x'.repeat(300), results);
      expect(made).to.have.property('operation', 'SSL_set_tlsext_host_name');
      expect(made).to.have.property('entries').with.length(1);
    });

    it('writing nothing sends nothing', () => {
      const { client, server } = pair();
      handshake(client, server);
      server.readAll();
      const sent = client.sent;
      expect(client.step('write', nothing)).to.equal(undefined);
      expect([client.result('ret'), client.result('sslError'), client.sent - sent]).to.deep.equal([1, 0, 0]);
    });
  });

  describe('free', () => {
    it('ends an engine once, at any moment, in any order', () => {
      for (const rounds of [0, 1, 2, 3]) {
        for (const clientFirst of [true, false]) {
          const { client, server } = pair(512);
          for (let round = 0; round < rounds; round++) {
            client.step('handshake');
            server.step('handshake');
          }
          for (const end of clientFirst ? [client, server] : [server, client]) {
            end.engine.free();
            end.engine.free();
            expect(() => end.step('move')).to.throw('freed');
            expect(() => end.engine.info()).to.throw('freed');
            expect(() => end.engine.takeAlerts()).to.throw('freed');
          }
        }
      }
    });

    it('leaves the peer working', () => {
      const { client, server } = pair();
      handshake(client, server);
      client.step('write', Buffer.from('bye'));
      client.engine.free();
      expect(Buffer.from(server.readAll()).toString()).to.equal('bye');
      expect(server.step('eof')).to.equal(undefined);
    });

    it('gives the memory back at once, both rings and what waits in them included', () => {
      const pairBytes = 200_000;
      const ends = Array.from({ length: 10 }, () => {
        const { client, server } = pair(pairBytes);
        handshake(client, server);
        client.outputBytes = 0;
        client.step('write', Buffer.alloc(10_000));
        return [client, server];
      }).flat();
      const before = queue.heapBytes();
      for (const { engine } of ends) engine.free();
      expect(before - queue.heapBytes()).to.be.above(ends.length * (2 * pairBytes + 10_000));
    });
  });

  describe('memory', () => {
    it('of an idle server does not grow with its certificate', async () => {
      const idleBytes = async (sanCount: number): Promise<number> => {
        const { certPem: cert, keyPem: key } = await serverCertificate(sanCount);
        const [clientContext, serverContext] = [context({}), context({ server: true, cert, key })];
        const servers = Array.from({ length: 20 }, () => new Endpoint(serverContext, 64));
        for (const server of servers) {
          const client = new Endpoint(clientContext, 64);
          wire(client, server);
          handshake(client, server);
          client.engine.free();
        }
        // Freeing engines may set the collector off: what it would find is in no figure then.
        await collect();
        const before = queue.heapBytes();
        for (const { engine } of servers) engine.free();
        return (before - queue.heapBytes()) / servers.length;
      };
      const small = await idleBytes(0);
      const large = await idleBytes(1200);
      expect(small).to.be.within(10_000, 35_000);
      expect(Math.abs(large - small)).to.be.below(3000);
    });

    it('is told to V8 while the engine lives', async () => {
      const results = new Int32Array(TLS_RESULT_LENGTH);
      const options = context({});
      // Garbage that went in between would be in the figures.
      await collect();
      const before = queue.externalBytes();
      const engine = binding.tlsEngine(options, 1_000_000, '', results);
      expect(queue.externalBytes() - before).to.be.within(2_000_000, 2_100_000);
      if ('free' in engine) engine.free();
      expect(queue.externalBytes() - before).to.be.within(-100_000, 100_000);
    });

    it('of engines that nobody freed goes with the garbage', async () => {
      const results = new Int32Array(TLS_RESULT_LENGTH);
      const make = (): WeakRef<object>[] => {
        const options = context({});
        return Array.from({ length: 50 }, () => new WeakRef(binding.tlsEngine(options, 100_000, '', results)));
      };
      await collect();
      const before = queue.heapBytes();
      const made = make();
      expect(queue.heapBytes() - before).to.be.above(9_000_000);
      await collect();
      expect(made.filter((reference) => reference.deref() !== undefined)).to.have.length(0);
      expect(queue.heapBytes() - before).to.be.below(2_000_000);
    });

    it('of the results is held as long as the engine may write there', async () => {
      const make = (): [WeakRef<Int32Array>, Endpoint['engine']] => {
        const results = new Int32Array(TLS_RESULT_LENGTH);
        const engine = binding.tlsEngine(context({}), 17, '', results);
        if ('operation' in engine) throw new Error(engine.operation);
        return [new WeakRef(results), engine];
      };
      const [results, engine] = make();
      await collect();
      expect(results.deref()).to.have.length(TLS_RESULT_LENGTH);
      await collect();
      engine.free();
      await collect();
      expect(results.deref()).to.equal(undefined);
    });

    it('of a context outlives its own object while engines need it', async () => {
      const { client, server } = pair();
      await collect();
      expect(handshake(client, server).server.at(-1)).to.equal(0);
    });
  });

  describe('in worker threads', () => {
    const start = (count: number): Worker =>
      new Worker(new URL('./support/engine-worker.ts', import.meta.url), {
        workerData: { cert: good.certPem, key: good.keyPem, count },
      });

    it('runs beside the main thread, each with a queue of its own', async () => {
      const worker = start(30);
      const exit = once(worker, 'exit');
      const messages: unknown[] = [];
      worker.on('message', (message) => {
        messages.push(message);
        // While it works: junk of this thread's must not reach it.
        for (let count = 0; count < 10; count++) queue.raise(0x0a000126, 'main.c', 1, 'main');
        const { client, server } = pair(512);
        handshake(client, server);
        for (const end of [client, server]) end.engine.free();
      });
      expect(await exit).to.deep.equal([0]);
      expect(messages).to.deep.equal(['begun', 'done']);
    });

    it('ends with its environment at any moment', async function () {
      this.timeout(30_000);
      for (let count = 0; count < 5; count++) {
        const worker = start(0);
        await once(worker, 'message');
        expect(await worker.terminate()).to.equal(1);
      }
    });
  });
});
