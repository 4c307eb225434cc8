/** Random programs of all operations give the model and Node's own OpenSSL the same answers, entry by entry. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { Library, packCode, systemCode } from '../../src/index.ts';
import { drain, modelQueue, openSslNames, type Queue, realQueue, type SavedState } from '../support/queues.ts';

/** By default a new one each run; to repeat a failure: SLUICE_SEED=… npx mocha … */
const SEED = Number(process.env['SLUICE_SEED'] ?? Date.now() & 0x7fff_ffff);
const PROGRAMS = 10_000;
const STEPS_MAX = 60;
const STATES = 3;

/** What a program works on: a queue, and a few saved states. */
interface Machine {
  queue: Queue;
  states: (SavedState | undefined)[];
}

interface Step {
  name: string;
  run: (machine: Machine) => unknown;
}

/** What failed is shown as a list of names. */
function step(name: string, run: (machine: Machine) => unknown): Step {
  return Object.assign({ name, run }, { [fc.toStringMethod]: () => name });
}

const code = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 100, max: 420 }).map((reason) => packCode(Library.ssl, reason)) },
  fc
    .tuple(fc.integer({ min: 1, max: 255 }), fc.integer({ min: 1, max: 0x7f_ffff }))
    .map(([library, reason]) => packCode(library, reason)),
  fc.integer({ min: 1, max: 133 }).map(systemCode),
);
const text = fc.string({ unit: 'grapheme-ascii', maxLength: 20 });
const data = fc.option(text, { nil: undefined });
const place = fc.option(fc.record({ file: text, func: text, line: fc.integer({ min: 0, max: 5000 }) }), {
  nil: undefined,
  freq: 3,
});
const slot = fc.nat(STATES - 1);

function hex(number: number): string {
  return number.toString(16);
}

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(code, place, data)
      .map(([number, where, details]) =>
        step(`raise(${hex(number)}, ${details}, ${where?.file}:${where?.line})`, ({ queue }) =>
          queue.raise(number, details, where),
        ),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.integer({ min: 1, max: 255 }),
        place,
        fc.string({ unit: 'grapheme-ascii', maxLength: 1023, size: 'max' }),
      )
      .map(([library, where, details]) =>
        step(`raiseData(${library}, 7, ${details.length} bytes)`, ({ queue }) =>
          queue.raiseData(library, 7, details, where),
        ),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(code, text, fc.integer({ min: 0, max: 3 }))
      .map(([number, details, flags]) =>
        step(`raiseFlagged(${hex(number)}, ${details}, ${flags})`, ({ queue }) =>
          queue.raiseFlagged(number, details, flags),
        ),
      ),
  },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 10, max: 20 }).map((count) =>
      step(`raise ${count} more`, ({ queue }) => {
        for (let reason = 1; reason <= count; reason++) queue.raise(packCode(Library.user, reason));
      }),
    ),
  },
  { weight: 3, arbitrary: fc.constant(step('get', ({ queue }) => queue.get())) },
  { weight: 2, arbitrary: fc.constant(step('getCode', ({ queue }) => queue.getCode())) },
  { weight: 2, arbitrary: fc.constant(step('peek', ({ queue }) => queue.peek())) },
  { weight: 2, arbitrary: fc.constant(step('peekLast', ({ queue }) => queue.peekLast())) },
  { weight: 2, arbitrary: fc.constant(step('pop', ({ queue }) => queue.pop())) },
  { weight: 1, arbitrary: fc.constant(step('clear', ({ queue }) => queue.clear())) },
  { weight: 2, arbitrary: fc.constant(step('hideLast', ({ queue }) => queue.hideLast())) },
  { weight: 5, arbitrary: fc.constant(step('setMark', ({ queue }) => queue.setMark())) },
  { weight: 3, arbitrary: fc.constant(step('popToMark', ({ queue }) => queue.popToMark())) },
  { weight: 2, arbitrary: fc.constant(step('clearLastMark', ({ queue }) => queue.clearLastMark())) },
  { weight: 3, arbitrary: fc.constant(step('countToMark', ({ queue }) => queue.countToMark())) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(text, text)
      .map(([first, second]) =>
        step(`appendData(${first}, ${second})`, ({ queue }) => queue.appendData(first, second)),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('', ':', ', '), text)
      .map(([separator, more]) =>
        step(`appendText(${separator}, ${more})`, ({ queue }) => queue.appendText(separator, more)),
      ),
  },
  // Not on an empty queue: there OpenSSL gives the entries after the first the code 0, which its readers take for the end.
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('', ', '), fc.integer({ min: 1, max: 900 })).map(([separator, count]) =>
      step(`appendText(${separator}, ${count} words)`, ({ queue }) => {
        if (queue.peekLast() !== undefined) queue.appendText(separator, 'words, '.repeat(count));
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(code, fc.integer({ min: 0, max: 90 }))
      .map(([number, size]) =>
        step(`errorString(${hex(number)}, ${size})`, ({ queue }) => queue.errorString(number, size)),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 4 })
      .map((lines) => step(`print(${lines})`, ({ queue }) => queue.print(lines))),
  },
  {
    weight: 2,
    arbitrary: slot.map((at) =>
      step(`save(${at})`, (machine) => {
        machine.states[at] = machine.queue.save(machine.states[at]);
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: slot.map((at) =>
      step(`saveToMark(${at})`, (machine) => {
        machine.states[at] = machine.queue.saveToMark(machine.states[at]);
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: slot.map((at) =>
      step(`restore(${at})`, ({ queue, states }) => {
        const state = states[at];
        if (state !== undefined) queue.restore(state);
      }),
    ),
  },
);

const program = fc.array(anyStep, { minLength: 1, maxLength: STEPS_MAX, size: 'max' });

/** Every answer of the program, and what it leaves behind. */
function run(queue: Queue, steps: readonly Step[]): unknown[] {
  const machine: Machine = { queue, states: [] };
  const answers = steps.map(({ name, run: act }) => [name, act(machine)]);
  return [...answers, ['left', drain(queue)]];
}

describe('random programs on the error queue', () => {
  it(`${PROGRAMS} programs give the same answers on the model and on Node's OpenSSL (seed ${SEED})`, function () {
    this.timeout(120_000);
    let longest = 0;
    fc.assert(
      fc.property(program, (steps) => {
        longest = Math.max(longest, steps.length);
        expect(run(modelQueue(openSslNames), steps)).to.deep.equal(run(realQueue(), steps));
      }),
      { seed: SEED, numRuns: PROGRAMS },
    );
    expect(longest).to.be.greaterThan(40);
  });
});
