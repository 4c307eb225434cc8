/** The suite itself: that it finds out transports that do not keep a promise, one by one. */
import { expect } from 'chai';
import {
  carriers,
  type ComplianceFactory,
  layered,
  type LiveTestLoop,
  transportCompliance,
} from '../../../src/testing/index.ts';
import { Layer, LosesAByte, Spins, wrong } from '../../support/wrong-transports.ts';

/** For what is right, on a machine that is busy. */
const PATIENCE_MS = 25_000;

type Suite = Map<string, () => Promise<void>>;

/** The tests that the suite registers, by title. What goes wrong is not waited for. */
function suiteOf(factory: ComplianceFactory, realTime = false, patienceMs = 20): Suite {
  const suite: Suite = new Map();
  const runner = {
    describe: (_title: string, register: () => void) => register(),
    it: (title: string, run: () => Promise<void>) => void suite.set(title, run),
  };
  transportCompliance('it', factory, { runner, realTime, patienceMs, overshootBytes: 0 });
  return suite;
}

describe('transportCompliance', () => {
  for (const [Transport, title] of wrong) {
    it(`finds out ${Transport.name}: ${title}`, async () => {
      const test = suiteOf(layered(carriers.link, (below, options) => new Transport(below, options))).get(title);
      if (test === undefined) throw new Error('there is no such test');
      const fault: unknown = await test().catch((error: unknown) => error);
      expect(fault).to.be.instanceOf(Error);
      const kept = layered(carriers.link, (below, options) => new Layer(below, options));
      await suiteOf(kept, false, PATIENCE_MS).get(title)?.();
    });
  }

  it('finds out Spins, whatever is asked of it', async () => {
    const factory: ComplianceFactory = async (options) => {
      const connection = await layered(carriers.link, (below, wanted) => new Spins(below, wanted))(options);
      return { ...connection, settle: () => (connection.loop as LiveTestLoop).settle(100) };
    };
    const [test] = suiteOf(factory).values();
    const fault: unknown = await test?.().catch((error: unknown) => error);
    expect(fault)
      .to.have.property('message')
      .that.matches(/still busy after 100 polls/u);
  });

  it('leaves out what is about limits of time for a factory on real time, and asks for advance otherwise', async () => {
    const onRealTime: ComplianceFactory = async (options) => {
      const connection = { ...(await carriers.link(options)) };
      delete connection.advance;
      return connection;
    };
    const [all, some] = [suiteOf(onRealTime), suiteOf(onRealTime, true)];
    const left = [...all.keys()].filter((title) => !some.has(title));
    expect(left.filter((title) => !/Ms|timeout|limit/u.test(title))).to.deep.equal([]);
    expect(some.size).to.be.within(50, all.size - 5);
    const timed = [...all.keys()].find((title) => title.startsWith('readMs')) ?? '';
    const failure = await all
      .get(timed)?.()
      .catch((error: unknown) => error);
    expect(failure)
      .to.have.property('message')
      .that.matches(/has no advance/u);
  });

  it('names the seed of a random case that fails', async () => {
    const factory = layered(carriers.link, (below, options) => new LosesAByte(below, options));
    const title = 'loses and repeats nothing, whatever both users do with marks, pauses, reasons and sizes';
    const failure = await suiteOf(factory)
      .get(title)?.()
      .catch((error: unknown) => error);
    expect(failure)
      .to.have.property('message')
      .that.matches(/^with seed \d+: /u);
  });

  it('needs a runner', () => {
    const { describe: global } = globalThis;
    try {
      Reflect.deleteProperty(globalThis, 'describe');
      expect(() => transportCompliance('it', carriers.link)).to.throw(TypeError, /settings\.runner/u);
    } finally {
      globalThis.describe = global;
    }
  });
});
