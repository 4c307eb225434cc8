import { ApiMisuse } from '@sluice/errors';

/**
 * Work that waits for a turn of a loop: a due timer, a signal, a ready descriptor, a deferred function. It is queued at
 * most once, however often it is posted, and `TaskQueues.remove` takes it out again.
 */
export abstract class LoopTask {
  /** 0 is the most urgent. */
  _priority: number;
  _list: TaskList | undefined = undefined;
  _next: LoopTask | undefined = undefined;
  _previous: LoopTask | undefined = undefined;
  /** Order of posting, so that a pass knows what was there when it began. */
  _posted = 0;

  constructor(priority: number) {
    this._priority = priority;
  }

  abstract _run(): void;
}

/** A function to be called once. */
export class DeferredTask extends LoopTask {
  readonly #fn: () => void;

  constructor(fn: () => void, priority: number) {
    super(priority);
    this.#fn = fn;
  }

  override _run(): void {
    this.#fn();
  }
}

/** How much of what is queued one turn runs. */
export interface TaskLimits {
  readonly callbacksPerTurnMax: number;
  readonly dispatchMsMax: number;
  readonly capFromPriority: number;
}

/** libevent has the same bound; nobody needs as many. */
const PRIORITIES_MAX = 255;

/**
 * One queue per priority. A pass runs what was in the most urgent queue when it began; what is posted meanwhile waits
 * for the next pass, and more urgent work that is posted meanwhile ends the pass.
 */
export class TaskQueues {
  /** The most tasks that were queued at a time. */
  lengthMax = 0;
  readonly #lists: TaskList[];
  readonly #later: TaskList = new TaskList();
  readonly #limits: TaskLimits;
  readonly #now: () => number;
  #length = 0;
  #posted = 0;
  /** No queue before this one holds anything. */
  #first: number;
  #interrupted = false;

  constructor(priorities: number, limits: TaskLimits, now: () => number) {
    this.#lists = Array.from({ length: priorities }, () => new TaskList());
    this.#limits = limits;
    this.#now = now;
    this.#first = priorities;
  }

  get priorities(): number {
    return this.#lists.length;
  }

  /** Tasks queued, those for the next turn included. */
  get length(): number {
    return this.#length;
  }

  /** What is queued, the most urgent first. */
  *[Symbol.iterator](): Iterator<LoopTask> {
    for (const list of [...this.#lists, this.#later]) {
      for (let task = list.head; task !== undefined; task = task._next) yield task;
    }
  }

  /** Tasks queued per priority, and those for the next turn. */
  counts(): { queued: number[]; later: number } {
    return { queued: this.#lists.map((list) => list.count()), later: this.#later.count() };
  }

  /** Queues a task at its priority; nothing if it is queued. One that waits for the next turn is promoted. */
  post(task: LoopTask): void {
    if (task._list !== undefined) {
      if (task._list !== this.#later) return;
      this.remove(task);
    }
    this.#append(this.#lists[task._priority] as TaskList, task);
    if (task._priority < this.#first) this.#first = task._priority;
  }

  /** Queues a task for the next turn; nothing if it is queued. */
  postLater(task: LoopTask): void {
    if (task._list === undefined) this.#append(this.#later, task);
  }

  /** Takes a task out. Answers whether it was queued. */
  remove(task: LoopTask): boolean {
    const list = task._list;
    if (list === undefined) return false;
    list.remove(task);
    this.#length -= 1;
    return true;
  }

  /** At the begin of a turn: queues what was posted for it. */
  promote(): void {
    for (let task = this.#later.head; task !== undefined; task = this.#later.head) this.post(task);
  }

  /** The most urgent priority that has something queued; `priorities` when none has. */
  first(): number {
    while (this.#first < this.#lists.length && (this.#lists[this.#first] as TaskList).head === undefined) {
      this.#first += 1;
    }
    return this.#first;
  }

  /** Ends the pass that is on, after the callback that runs now. */
  interrupt(): void {
    this.#interrupted = true;
  }

  /** One pass over the queue of a priority, within the limits. Answers how many tasks ran. */
  run(priority: number, uncaught: (error: unknown) => void): number {
    const list = this.#lists[priority] as TaskList;
    const capped = priority >= this.#limits.capFromPriority;
    const callbacksMax = capped ? this.#limits.callbacksPerTurnMax : Number.POSITIVE_INFINITY;
    const timed = capped && this.#limits.dispatchMsMax !== Number.POSITIVE_INFINITY;
    const until = timed ? this.#now() + this.#limits.dispatchMsMax : 0;
    const posted = this.#posted;
    this.#interrupted = false;
    let ran = 0;
    while (ran < callbacksMax) {
      const task = list.head;
      if (task === undefined || task._posted > posted) break;
      this.remove(task);
      ran += 1;
      try {
        task._run();
      } catch (error) {
        uncaught(error);
      }
      if (this.#interrupted || this.first() < priority || (timed && this.#now() >= until)) break;
    }
    return ran;
  }

  clear(): void {
    for (const list of [...this.#lists, this.#later]) {
      for (let task = list.head; task !== undefined; task = list.head) this.remove(task);
    }
  }

  /** Throws unless the queues agree with what is counted. */
  assertOk(): void {
    const { queued, later } = this.counts();
    const total = queued.reduce((sum, count) => sum + count, later);
    if (total !== this.#length) throw new Error(`${total} tasks are queued, not ${this.#length}`);
    const first = queued.findIndex((count) => count > 0);
    if (first >= 0 && first < this.#first) throw new Error(`queue ${first} holds tasks, and none is looked for there`);
  }

  #append(list: TaskList, task: LoopTask): void {
    task._posted = ++this.#posted;
    list.append(task);
    this.#length += 1;
    if (this.#length > this.lengthMax) this.lengthMax = this.#length;
  }
}

/** Checks a count of priorities. */
export function checkPriorities(priorities: number): void {
  if (!Number.isInteger(priorities) || priorities < 1 || priorities > PRIORITIES_MAX) {
    throw new ApiMisuse(`a loop has 1 to ${PRIORITIES_MAX} priorities, not ${priorities}`, {
      code: 'SLUICE_CORE_LOOP_OPTIONS',
      layer: 'core',
      operation: 'new EventLoop',
    });
  }
}

/** Checks a priority of a loop that has `priorities`. */
export function checkPriority(priority: number, priorities: number): number {
  if (!Number.isInteger(priority) || priority < 0 || priority >= priorities) {
    throw new ApiMisuse(
      `this loop's priorities are 0 (most urgent) to ${priorities - 1}, not ${priority}; ` +
        'new EventLoop({ priorities }) says how many there are',
      { code: 'SLUICE_CORE_LOOP_PRIORITY', layer: 'core', operation: 'priority' },
    );
  }
  return priority;
}

/** A queue that a task can leave from anywhere. */
class TaskList {
  head: LoopTask | undefined = undefined;
  #tail: LoopTask | undefined = undefined;

  append(task: LoopTask): void {
    task._list = this;
    task._previous = this.#tail;
    if (this.#tail === undefined) this.head = task;
    else this.#tail._next = task;
    this.#tail = task;
  }

  remove(task: LoopTask): void {
    if (task._previous === undefined) this.head = task._next;
    else task._previous._next = task._next;
    if (task._next === undefined) this.#tail = task._previous;
    else task._next._previous = task._previous;
    task._list = undefined;
    task._next = undefined;
    task._previous = undefined;
  }

  /** Goes over the list, and throws when its links do not agree. */
  count(): number {
    let count = 0;
    let previous: LoopTask | undefined;
    for (let task = this.head; task !== undefined; task = task._next) {
      if (task._list !== this || task._previous !== previous) throw new Error('a queue of tasks is torn');
      previous = task;
      count += 1;
    }
    if (previous !== this.#tail) throw new Error('the tail of a queue of tasks is not its last');
    return count;
  }
}
