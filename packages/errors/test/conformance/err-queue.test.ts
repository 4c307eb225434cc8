/** Cases E01–E33: what OpenSSL's error queue does, on the model and on the real one alike. */
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { untilTestEnds } from '../../../../test/support/until-test-ends.ts';
import { nativeQueue, type NativeState } from '../../../native/test/support/native-queue.ts';
import { DataFlag, ErrorStack, Library, packCode, restore, save, systemCode } from '../../src/index.ts';
import { EchoThread } from '../support/echo.ts';
import { codes, drain, type Queue, queues, realQueue } from '../support/queues.ts';

const A = packCode(Library.ssl, 101);
const B = packCode(Library.ssl, 102);
const C = packCode(Library.ssl, 103);
const X = packCode(Library.evp, 104);

function raise(queue: Queue, ...list: number[]): void {
  for (const code of list) queue.raise(code);
}

for (const make of queues) {
  describe(`the error queue: ${make().name}`, () => {
    let queue: Queue;
    beforeEach(() => {
      queue = make();
    });
    afterEach(() => {
      queue.clear();
    });

    it('E01 an empty queue has nothing to get or peek', () => {
      expect([queue.get(), queue.peek(), queue.peekLast(), queue.getCode()]).to.deep.equal([
        undefined,
        undefined,
        undefined,
        0,
      ]);
    });

    it('E02 get removes the earliest first', () => {
      raise(queue, A, B);
      expect([queue.getCode(), queue.getCode(), queue.getCode()]).to.deep.equal([A, B, 0]);
    });

    it('E03 peek shows the earliest, peekLast the latest, and both remove nothing', () => {
      raise(queue, A, B);
      expect([queue.peek()?.[0], queue.peekLast()?.[0]]).to.deep.equal([A, B]);
      expect(codes(queue)).to.deep.equal([A, B]);
    });

    it('E04 of twenty entries the newest fifteen stay', () => {
      for (let reason = 1; reason <= 20; reason++) queue.raise(packCode(Library.user, reason));
      expect(codes(queue)).to.deep.equal(Array.from({ length: 15 }, (_, i) => packCode(Library.user, i + 6)));
    });

    it('E05 peeking twice gives the same whole entry twice', () => {
      queue.raise(A, 'x', { file: 'a.c', line: 7, func: 'f' });
      const entry = [A, 'a.c', 7, 'f', 'x', 3];
      expect([queue.peek(), queue.peek(), queue.peekLast(), queue.peekLast()]).to.deep.equal(
        Array.from({ length: 4 }, () => entry),
      );
      expect(drain(queue)).to.deep.equal([entry]);
    });

    it('E06 an entry without data has empty data and no flags, one without a place empty names and line -1', () => {
      queue.raise(A, undefined, { file: '', line: 9, func: '' });
      queue.raise(B);
      expect(drain(queue)).to.deep.equal([
        [A, '', 9, '', '', 0],
        [B, '', -1, '', '', 0],
      ]);
      // Also in a slot that had all of it before.
      for (let i = 0; i < 20; i++) queue.raise(C, 'data', { file: 'c.c', line: 1, func: 'f' });
      queue.clear();
      for (let i = 0; i < 15; i++) queue.raise(B);
      expect(drain(queue)).to.deep.equal(Array.from({ length: 15 }, () => [B, '', -1, '', '', 0]));
    });

    it('E07 data goes with its entry, also when only the code is asked for', () => {
      queue.raise(A, 'x');
      expect(queue.getCode()).to.equal(A);
      for (let i = 0; i < 15; i++) queue.raise(B);
      expect(drain(queue).every((entry) => entry[4] === '' && entry[5] === 0)).to.equal(true);
    });

    it('E08 clear empties the queue and takes the marks along', () => {
      raise(queue, A);
      queue.setMark();
      queue.clear();
      expect(queue.peek()).to.equal(undefined);
      raise(queue, B);
      expect(queue.popToMark()).to.equal(false);
      expect(codes(queue)).to.deep.equal([]);
    });

    it('E09 an empty queue cannot be marked', () => {
      expect(queue.setMark()).to.equal(false);
      raise(queue, A);
      expect(queue.popToMark()).to.equal(false);
    });

    it('E10 popToMark removes what is above the mark, and the mark', () => {
      raise(queue, A);
      expect(queue.setMark()).to.equal(true);
      raise(queue, B, C);
      expect(queue.popToMark()).to.equal(true);
      expect(queue.countToMark()).to.equal(1);
      expect(codes(queue)).to.deep.equal([A]);
    });

    it('E11 marks are counted; popping past the last one empties the queue', () => {
      raise(queue, A);
      queue.setMark();
      queue.setMark();
      raise(queue, B);
      expect([queue.popToMark(), queue.popToMark()]).to.deep.equal([true, true]);
      expect(queue.peekLast()?.[0]).to.equal(A);
      expect(queue.popToMark()).to.equal(false);
      expect(codes(queue)).to.deep.equal([]);
    });

    it('E12 clearLastMark takes the mark and leaves the entries', () => {
      raise(queue, A);
      queue.setMark();
      raise(queue, B);
      expect(queue.clearLastMark()).to.equal(true);
      expect(queue.countToMark()).to.equal(2);
      expect(queue.popToMark()).to.equal(false);
      expect(codes(queue)).to.deep.equal([]);
    });

    it('E13 countToMark counts what is above the mark, or everything', () => {
      raise(queue, A);
      queue.setMark();
      raise(queue, B, C);
      expect(queue.countToMark()).to.equal(2);
      queue.clearLastMark();
      expect(queue.countToMark()).to.equal(3);
    });

    it('E14 a mark is lost when its entry is overwritten', () => {
      raise(queue, A);
      queue.setMark();
      for (let i = 0; i < 15; i++) raise(queue, B);
      expect(queue.popToMark()).to.equal(false);
      expect(codes(queue)).to.deep.equal([]);
    });

    it('E15 a mark leaves with its entry when that is read', () => {
      raise(queue, A);
      queue.setMark();
      raise(queue, B);
      expect(queue.getCode()).to.equal(A);
      expect(queue.popToMark()).to.equal(false);
      expect(codes(queue)).to.deep.equal([]);
    });

    it('E16 pop removes the newest', () => {
      raise(queue, A, B);
      expect(queue.pop()).to.equal(true);
      expect(codes(queue)).to.deep.equal([A]);
      expect(queue.pop()).to.equal(false);
    });

    it('E17 save moves everything out of the queue', () => {
      raise(queue, A, B);
      const state = queue.save();
      expect(queue.peek()).to.equal(undefined);
      queue.restore(state);
      expect(codes(queue)).to.deep.equal([A, B]);
      expect(queue.popToMark(), 'no mark came back with them').to.equal(false);
    });

    it('E17 saving into a state that holds something puts it in the place of that', () => {
      raise(queue, A, B, C);
      const state = queue.save();
      queue.raise(X, 'new');
      queue.restore(queue.save(state));
      expect(drain(queue).map((entry) => [entry[0], entry[4]])).to.deep.equal([[X, 'new']]);
    });

    it('E18 saveToMark moves what is above the mark and keeps the mark', () => {
      raise(queue, A);
      queue.setMark();
      raise(queue, B, C);
      const state = queue.saveToMark();
      raise(queue, X);
      expect(queue.popToMark()).to.equal(true);
      expect(codes(queue)).to.deep.equal([A]);
      queue.restore(state);
      expect(codes(queue)).to.deep.equal([B, C]);
    });

    it('E19 restore appends copies, as often as asked', () => {
      raise(queue, A, B);
      const state = queue.save();
      raise(queue, X);
      queue.restore(state);
      queue.restore(state);
      expect(codes(queue)).to.deep.equal([X, A, B, A, B]);
    });

    it('E20 restoring ten onto ten keeps the newest fifteen', () => {
      for (let reason = 1; reason <= 10; reason++) queue.raise(packCode(Library.user, reason));
      const state = queue.save();
      for (let reason = 11; reason <= 20; reason++) queue.raise(packCode(Library.user, reason));
      queue.restore(state);
      const expected = [16, 17, 18, 19, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((r) => packCode(Library.user, r));
      expect(codes(queue)).to.deep.equal(expected);
    });

    it('E21 a restored copy can be changed without changing the state or another copy', () => {
      queue.raise(A, 'd');
      const state = queue.save();
      queue.restore(state);
      queue.appendData('-', 'changed');
      expect(drain(queue)).to.deep.equal([[A, '', -1, '', 'd-changed', 3]]);
      queue.restore(state);
      expect(drain(queue)).to.deep.equal([[A, '', -1, '', 'd', 3]]);
    });

    it('E21 a restored copy owns its data, though the original only borrowed it', () => {
      queue.raiseFlagged(A, 'd', DataFlag.text);
      expect(queue.peek()?.[5]).to.equal(DataFlag.text);
      queue.restore(queue.save());
      queue.appendData('-', 'more');
      expect(drain(queue)).to.deep.equal([[A, '', -1, '', 'd-more', 3]]);
    });

    it('E22 a hidden entry is not restored, and no reader sees it', () => {
      raise(queue, A, B);
      queue.hideLast();
      const state = queue.save();
      raise(queue, C);
      queue.hideLast();
      expect([queue.peek(), queue.peekLast()]).to.deep.equal([undefined, undefined]);
      queue.restore(state);
      expect(codes(queue)).to.deep.equal([A]);
    });

    it('E23 an entry whose data finds no memory is restored without it, and nothing is raised about that', () => {
      raise(queue, A);
      queue.raise(B, 'd', { file: 'b.c', line: 3, func: 'f' });
      raise(queue, C);
      const state = queue.save();
      queue.restore(state);
      expect(drain(queue)[1]).to.deep.equal([B, 'b.c', 3, 'f', 'd', 3]);
      queue.restore(queue.spoil(state));
      expect(drain(queue)).to.deep.equal([
        [A, '', -1, '', '', 0],
        [B, 'b.c', 3, 'f', '', 0],
        [C, '', -1, '', '', 0],
      ]);
    });

    it('E26 appended data goes to the newest entry', () => {
      raise(queue, X);
      queue.raise(A, 'x');
      queue.appendData('y', 'z');
      expect(drain(queue)).to.deep.equal([
        [X, '', -1, '', '', 0],
        [A, '', -1, '', 'xyz', 3],
      ]);
      queue.appendData('goes', 'nowhere');
      raise(queue, B);
      expect(drain(queue)).to.deep.equal([[B, '', -1, '', '', 0]]);
    });

    it("E26 what is appended takes the place of data that is not the entry's own, or not text", () => {
      for (const flags of [0, DataFlag.owned, DataFlag.text]) {
        queue.raiseFlagged(A, 'x', flags);
        queue.appendData('y', 'z');
      }
      expect(drain(queue).map((entry) => [entry[4], entry[5]])).to.deep.equal([
        ['yz', 3],
        ['yz', 3],
        ['yz', 3],
      ]);
    });

    const texts: [name: string, code: number, text: string][] = [
      ['E27 a reason of the SSL library', 0x0a000126, 'error:0A000126:SSL routines::unexpected eof while reading'],
      ['E28 an errno', 0x80000068, 'error:80000068:system library::Connection reset by peer'],
      ['E29 an unknown library and reason', packCode(200, 77), 'error:6400004D:lib(200)::reason(77)'],
      ['E30 a common reason in any library', 0x0a0c0100, 'error:0A0C0100:SSL routines::malloc failure'],
    ];
    for (const [name, code, text] of texts) {
      it(`${name} reads "${text}"`, () => {
        expect(queue.errorString(code, 256)).to.equal(text);
      });
    }

    it('E31 a text that fits exactly or not at all gives way to numbers, cut to the buffer', () => {
      const code = 0x0a000126;
      const { length } = 'error:0A000126:SSL routines::unexpected eof while reading';
      expect(queue.errorString(code, length + 2)).to.match(/^error:/);
      expect(queue.errorString(code, length + 1)).to.equal('err:a000126:14:0:126');
      expect(queue.errorString(code, 30)).to.equal('err:a000126:14:0:126');
      expect(queue.errorString(code, 8)).to.equal('err:a00');
      expect(queue.errorString(code, 1)).to.equal('');
      expect(queue.errorString(code, 0)).to.equal(undefined);
    });

    it('E32 printing shows code, function, reason, place and data, and drains', () => {
      queue.raise(0x0a000126, 'why', { file: 'ssl.c', line: 12, func: 'read' });
      raise(queue, A);
      expect(queue.print(10)).to.deep.equal([
        'error:0A000126:SSL routines:read:unexpected eof while reading:ssl.c:12:why\n',
        'error:0A000065:SSL routines::no suitable key share::-1:\n',
      ]);
      expect(queue.peek()).to.equal(undefined);
    });

    it('E32b printing stops when told to: what was shown is gone, the rest is not', () => {
      raise(queue, A, B, C);
      expect(queue.print(2)).to.have.length(2);
      expect(codes(queue)).to.deep.equal([C]);
    });

    it('E32b data is printed only when it is text', () => {
      for (const flags of [0, DataFlag.owned, DataFlag.text, DataFlag.owned | DataFlag.text]) {
        queue.raiseFlagged(A, 'data', flags);
      }
      const lines = queue.print(10).map((line) => line.slice(line.lastIndexOf(':') + 1));
      expect(lines).to.deep.equal(['\n', '\n', 'data\n', 'data\n']);
    });

    it('E32c a long text is split at separators over entries of the same code', () => {
      queue.raise(A, undefined, { file: 'a.c', line: 3, func: 'f' });
      const words = Array.from({ length: 1200 }, (_, i) => `word${i}`);
      queue.appendText(', ', words.join(', '));
      const entries = drain(queue);
      expect(entries.map(([code, file, line, func]) => [code, file, line, func])).to.deep.equal(
        entries.map(() => [A, 'a.c', 3, 'f']),
      );
      expect(entries.length).to.equal(3);
      expect(entries.every((entry) => entry[4].length < 3996)).to.equal(true);
      const counts = entries.map((entry) => entry[4].match(/word\d+/g)?.length);
      expect(counts).to.deep.equal([455, 443, 302]);
      expect(entries.map((entry) => entry[4].slice(0, 9))).to.deep.equal([', word0, ', ', word455', 'word898, ']);
    });

    it('E32c a long text without a separator is split where it must be', () => {
      queue.raise(A);
      queue.appendText('', 'x'.repeat(9000));
      expect(drain(queue).map((entry) => entry[4].length)).to.deep.equal([3995, 3995, 1010]);
    });

    it('E32c a text on an empty queue raises an entry of no library first', () => {
      queue.appendText(':', 'why');
      queue.appendText(':', 'and:');
      expect(drain(queue)).to.deep.equal([[packCode(Library.none, 0), '', 0, '', 'why:and', 3]]);
    });

    it('E33 raising with data records place and text, up to 1023 bytes', () => {
      queue.raiseData(Library.ssl, 382, 'y'.repeat(1023), { file: 'q.c', line: 5, func: 'g' });
      expect(drain(queue)).to.deep.equal([[0x0a00017e, 'q.c', 5, 'g', 'y'.repeat(1023), 3]]);
    });
  });
}

describe('the error queue and its surroundings', () => {
  it("E24 no operation changes errno: Node's OpenSSL", () => {
    const queue = realQueue();
    nativeQueue.setErrno(104);
    const operations: (() => unknown)[] = [
      () => queue.raise(A, 'd'),
      () => queue.raiseFlagged(B, 'd', DataFlag.text),
      () => queue.appendData('x', 'y'),
      () => queue.appendText(', ', 'z'),
      () => queue.peek(),
      () => queue.peekLast(),
      () => queue.setMark(),
      () => queue.countToMark(),
      () => queue.restore(queue.saveToMark()),
      () => queue.restore(queue.save()),
      () => queue.clearLastMark(),
      () => queue.hideLast(),
      () => queue.pop(),
      () => queue.get(),
      () => queue.getCode(),
      () => queue.popToMark(),
      () => queue.clear(),
    ];
    const after = operations.map((operation) => {
      operation();
      return nativeQueue.getErrno();
    });
    nativeQueue.setErrno(0);
    expect(after).to.deep.equal(operations.map(() => 104));
  });

  it('E24 no operation changes the errno that an entry carries: model', () => {
    const stack = new ErrorStack();
    stack.raise({ code: systemCode(104) });
    stack.setMark();
    stack.raise({ code: systemCode(32) });
    stack.popToMark();
    restore(stack, save(stack));
    expect(stack.peek()?.errno).to.equal(104);
    expect(stack.get()?.errno).to.equal(104);
  });

  it('E21 threads restore one state, change their copies, and end, and it stays as it was: both', async () => {
    const real = realQueue();
    real.raise(A, 'd');
    const realState = real.save();
    const thread = untilTestEnds(new EchoThread());
    const stack = new ErrorStack();
    stack.raise({ code: B, data: new Uint8Array([1]) });
    stack.raise({ code: A, data: 'd' });
    const state = save(stack);
    for (let time = 0; time < 2; time++) {
      const changed = [A, '', -1, '', 'd on another thread', 3];
      expect(nativeQueue.restoreElsewhere(realState.saved as NativeState)).to.deep.equal([changed]);
      real.restore(realState);
      expect(drain(real)).to.deep.equal([[A, '', -1, '', 'd', 3]]);

      const elsewhere = await thread.echo(state);
      expect(elsewhere.entries.map(({ data }) => data)).to.deep.equal([new Uint8Array([9]), 'd on another thread']);
      restore(stack, state);
      expect(save(stack).entries.map(({ data }) => data)).to.deep.equal([new Uint8Array([1]), 'd']);
    }
  });

  it("E25 one thread's entries are not seen on another: both", async () => {
    ErrorStack.current().raise({ code: A });
    nativeQueue.raise(A, '', 0, '');
    const worker = new Worker(new URL('../support/fresh-thread-worker.ts', import.meta.url));
    const seen = await new Promise<unknown>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    await worker.terminate();
    expect(seen).to.deep.equal({ model: 0, real: 0 });
    expect(ErrorStack.current().get()?.code).to.equal(A);
    expect(nativeQueue.getCode()).to.equal(A);
  });
});
