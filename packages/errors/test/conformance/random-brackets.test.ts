/** Brackets know what is theirs, whatever else is done to the stack: compared with a list that never forgets an order. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { type Bracket, ErrorStack, STACK_ENTRIES_MAX } from '../../src/index.ts';

/** By default a new one each run; to repeat a failure: SLUICE_SEED=… npx mocha … */
const SEED = Number(process.env['SLUICE_SEED'] ?? Date.now() & 0x7fff_ffff);
const PROGRAMS = 2000;

/** What a stack must be: entries by the order in which they were raised, and the count at which each bracket opened. */
class PlainStack {
  entries: number[] = [];
  raised = 0;
  readonly open: { at: number; dropped: number }[] = [];

  raise(): void {
    this.raised++;
    this.entries.push(this.raised);
    if (this.entries.length <= STACK_ENTRIES_MAX) return;
    const lost = this.entries.shift() ?? 0;
    for (const bracket of this.open) if (lost > bracket.at) bracket.dropped++;
  }

  /** Closes the bracket at the depth and those inside it; answers what was raised in it and is still there. */
  close(depth: number, leave: boolean): number[] {
    const at = this.open[depth]?.at ?? 0;
    this.open.length = depth;
    const own = this.entries.filter((order) => order > at);
    if (!leave) this.entries = this.entries.filter((order) => order <= at);
    return own;
  }
}

interface Machine {
  stack: ErrorStack;
  brackets: Bracket[];
  plain: PlainStack;
}

type Step = (machine: Machine) => void;

function named(name: string, step: Step): Step {
  return Object.assign(step, { [fc.toStringMethod]: () => name });
}

function raise(count: number): Step {
  return named(`raise ${count}`, ({ stack, plain }) => {
    for (let i = 0; i < count; i++) {
      plain.raise();
      stack.raise({ code: plain.raised });
    }
  });
}

/** `which` picks a bracket: the last ones most of all. */
function close(how: 'discard' | 'keep' | 'take', which: number): Step {
  return named(`${how} ${which}`, ({ stack, brackets, plain }) => {
    const depth = Math.max(0, brackets.length - 1 - which);
    const bracket = brackets[depth];
    if (bracket === undefined) return;
    expect(stack.droppedIn(bracket)).to.equal(plain.open[depth]?.dropped);
    brackets.length = depth;
    const taken = how === 'take' ? stack.take(bracket).map(({ code }) => code) : stack[how](bracket);
    const own = plain.close(depth, how === 'keep');
    if (how === 'take') expect(taken).to.deep.equal(own);
    expect(stack.isOpen(bracket)).to.equal(false);
  });
}

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 }).map(raise) },
  { weight: 1, arbitrary: fc.integer({ min: 10, max: 20 }).map(raise) },
  {
    weight: 5,
    arbitrary: fc.constant(
      named('open', ({ stack, brackets, plain }) => {
        brackets.push(stack.open());
        plain.open.push({ at: plain.raised, dropped: 0 });
      }),
    ),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom('discard', 'keep', 'take'), fc.oneof(fc.constant(0), fc.nat(3)))
      .map(([how, which]) => close(how, which)),
  },
  {
    weight: 2,
    arbitrary: fc.constant(
      named('get', ({ stack, plain }) => expect(stack.get()?.code).to.equal(plain.entries.shift())),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constant(
      named('pop', ({ stack, plain }) => expect(stack.pop()).to.equal(plain.entries.pop() !== undefined)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant(
      named('clear', ({ stack, plain }) => {
        stack.clear();
        plain.entries = [];
      }),
    ),
  },
  // A mark is OpenSSL's affair: it may come, go, or be lost, and no bracket minds.
  { weight: 2, arbitrary: fc.constant(named('setMark', ({ stack }) => void stack.setMark())) },
  { weight: 1, arbitrary: fc.constant(named('clearLastMark', ({ stack }) => void stack.clearLastMark())) },
);

const program = fc.array(steps, { minLength: 1, maxLength: 50, size: 'max' });

describe('random brackets on the stack', () => {
  it(`${PROGRAMS} programs give each bracket what was raised in it, and nothing else (seed ${SEED})`, function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(program, (work) => {
        const machine: Machine = { stack: new ErrorStack(), brackets: [], plain: new PlainStack() };
        for (const step of work) {
          step(machine);
          expect(machine.stack.openBrackets).to.equal(machine.brackets.length);
        }
        expect(machine.stack.length).to.equal(machine.plain.entries.length);
        expect(machine.stack.toArray().map(({ code }) => code)).to.deep.equal(machine.plain.entries);
      }),
      { seed: SEED, numRuns: PROGRAMS },
    );
  });
});
