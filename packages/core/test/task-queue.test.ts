import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { checkPriorities, checkPriority, LoopTask, TaskQueues } from '../src/task-queue.ts';
import { Random } from './support/random.ts';

class Task extends LoopTask {
  readonly run: () => void;

  constructor(priority: number, run: () => void) {
    super(priority);
    this.run = run;
  }

  override _run(): void {
    this.run();
  }
}

describe('TaskQueues', () => {
  const uncaught = (error: unknown): void => {
    throw error;
  };

  function queues(priorities: number, limits = {}, now: () => number = () => 0) {
    const all = {
      callbacksPerTurnMax: Number.POSITIVE_INFINITY,
      dispatchMsMax: Number.POSITIVE_INFINITY,
      capFromPriority: 0,
    };
    const made = new TaskQueues(priorities, { ...all, ...limits }, now);
    const ran: string[] = [];
    const task = (name: string, priority = 0, then: () => void = () => {}): Task =>
      new Task(priority, () => {
        ran.push(name);
        then();
      });
    const pass = (): number => made.run(made.first(), uncaught);
    return { queues: made, ran, task, pass };
  }

  it('run what was there when the pass began, in order; what is posted meanwhile waits', () => {
    const { queues: made, ran, task, pass } = queues(1);
    const again = task('again', 0, () => made.post(again));
    made.post(again);
    made.post(task('b'));
    made.post(again);
    expect(made.length).to.equal(2);
    expect(pass()).to.equal(2);
    expect(ran).to.deep.equal(['again', 'b']);
    expect(pass()).to.equal(1);
    expect(made.length).to.equal(1);
  });

  it('run the most urgent queue, and end the pass for what is more urgent', () => {
    const { queues: made, ran, task, pass } = queues(3);
    made.post(task('low', 2));
    made.post(task('middle', 1, () => made.post(task('urgent', 0))));
    made.post(task('rest', 1));
    for (let passes = 0; made.length > 0; passes += 1) {
      expect(passes).to.be.below(10);
      pass();
    }
    expect(ran).to.deep.equal(['middle', 'urgent', 'rest', 'low']);
    expect(made.first()).to.equal(3);
  });

  it('give back a task from anywhere in a queue, and take it again at its end', () => {
    const { queues: made, ran, task, pass } = queues(1);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => task(name)) as [Task, Task, Task];
    for (const each of [a, b, c]) made.post(each);
    expect(made.remove(b)).to.equal(true);
    expect(made.remove(b)).to.equal(false);
    made.post(b);
    expect(made.remove(a)).to.equal(true);
    made.assertOk();
    pass();
    expect(ran).to.deep.equal(['c', 'b']);
  });

  it('keep what is for later until it is promoted, unless it is posted before', () => {
    const { queues: made, ran, task, pass } = queues(1);
    const early = task('early');
    made.postLater(task('late'));
    made.postLater(early);
    made.post(early);
    expect(made.counts()).to.deep.equal({ queued: [1], later: 1 });
    pass();
    expect(ran).to.deep.equal(['early']);
    made.promote();
    pass();
    expect(ran).to.deep.equal(['early', 'late']);
  });

  it('run no more than the cap, from the priority on for which it holds', () => {
    const capped = queues(2, { callbacksPerTurnMax: 2, capFromPriority: 1 });
    for (let index = 0; index < 5; index += 1) {
      for (const priority of [0, 1]) capped.queues.post(capped.task(`${priority}`, priority));
    }
    expect([capped.pass(), capped.pass(), capped.pass(), capped.pass()]).to.deep.equal([5, 2, 2, 1]);
  });

  it('look at the time after each callback, when there is a limit of it', () => {
    let now = 0;
    const { queues: made, task, pass } = queues(1, { dispatchMsMax: 5 }, () => now);
    for (let index = 0; index < 4; index += 1) made.post(task('slow', 0, () => (now += 3)));
    expect([pass(), pass()]).to.deep.equal([2, 2]);
  });

  it('end the pass when they are interrupted, and go on after what threw', () => {
    const { queues: made, ran, task } = queues(1);
    const errors: unknown[] = [];
    const failure = new Error('of a callback');
    made.post(
      task('throws', 0, () => {
        throw failure;
      }),
    );
    made.post(task('interrupts', 0, () => made.interrupt()));
    made.post(task('rest'));
    expect(made.run(0, (error) => errors.push(error))).to.equal(2);
    expect(errors).to.deep.equal([failure]);
    expect(made.run(0, uncaught)).to.equal(1);
    expect(ran).to.deep.equal(['throws', 'interrupts', 'rest']);
  });

  const random = new Random();

  it(`agree with lists of names through 20,000 random steps (SEED=${random.seed})`, () => {
    const { queues: made, ran, task } = queues(4);
    const tasks = Array.from({ length: 40 }, (_, index) => task(`${index}`, index % 4));
    const model: string[][] = [[], [], [], []];
    let later: string[] = [];
    for (let step = 0; step < 20_000; step += 1) {
      const index = random.below(tasks.length);
      const [each, name, list] = [tasks[index] as Task, `${index}`, model[index % 4] as string[]];
      const kind = random.below(8);
      if (kind < 4) {
        made.post(each);
        later = later.filter((other) => other !== name);
        if (!list.includes(name)) list.push(name);
      } else if (kind === 4) {
        made.postLater(each);
        if (!list.includes(name) && !later.includes(name)) later.push(name);
      } else if (kind === 5) {
        const was = list.includes(name) || later.includes(name);
        expect(made.remove(each)).to.equal(was);
        later = later.filter((other) => other !== name);
        list.splice(0, list.length, ...list.filter((other) => other !== name));
      } else if (kind === 6) {
        made.promote();
        for (const other of later.splice(0)) (model[Number(other) % 4] as string[]).push(other);
      } else {
        const first = model.findIndex((names) => names.length > 0);
        expect(made.first()).to.equal(first < 0 ? 4 : first);
        if (first < 0) continue;
        ran.length = 0;
        made.run(first, uncaught);
        expect(ran).to.deep.equal((model[first] as string[]).splice(0));
      }
      made.assertOk();
      expect(made.length).to.equal(model.flat().length + later.length);
    }
  });
});

describe('priorities', () => {
  it('are 1 to 255 in number, and integers from 0 on', () => {
    for (const count of [0, 256, 1.5, Number.NaN]) {
      expect(() => checkPriorities(count)).to.throw(ApiMisuse, `1 to 255 priorities, not ${count}`);
    }
    checkPriorities(1);
    checkPriorities(255);
    for (const priority of [-1, 3, 0.5]) {
      expect(() => checkPriority(priority, 3)).to.throw(ApiMisuse, `0 (most urgent) to 2, not ${priority}`);
    }
    expect(checkPriority(2, 3)).to.equal(2);
  });
});
