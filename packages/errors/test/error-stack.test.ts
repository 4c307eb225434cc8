import { expect } from 'chai';
import { ApiMisuse, DataFlag, ErrorStack, Library, OPEN_BRACKETS_MAX, STACK_ENTRIES_MAX } from '../src/index.ts';
import { bytesOf, caught } from './support/memory-channel.ts';

function stackOf(...codes: number[]): ErrorStack {
  const stack = new ErrorStack();
  for (const code of codes) stack.raise({ code });
  return stack;
}

describe('ErrorStack', () => {
  it('what it gives out is its own copy', () => {
    const stack = new ErrorStack();
    const data = new Uint8Array([1]);
    stack.raise({ code: 1, data });
    data[0] = 2;
    bytesOf(stack.peek())[0] = 3;
    bytesOf(stack.peekLast())[0] = 4;
    bytesOf(stack.toArray()[0])[0] = 5;
    expect(stack.get()?.data).to.deep.equal(new Uint8Array([1]));
  });

  it('length counts what readers can see', () => {
    const stack = stackOf(1, 2);
    stack.hideLast();
    expect(stack.length).to.equal(1);
    stack.hideLast();
    stack.raise({ code: 3 });
    expect(stack.length).to.equal(1);
    expect(stack.toArray().map(({ code }) => code)).to.deep.equal([3]);
  });

  it('dropped counts what newer entries pushed out', () => {
    const stack = stackOf(...Array.from({ length: STACK_ENTRIES_MAX + 4 }, (_, i) => i + 1));
    expect([stack.length, stack.dropped]).to.deep.equal([STACK_ENTRIES_MAX, 4]);
    stack.clear();
    expect(stack.dropped).to.equal(4);
  });

  it('details raised by hand are cut to 1023 bytes, where OpenSSL would lose them whole', () => {
    const stack = new ErrorStack();
    stack.raiseData(Library.ssl, 382, `${'y'.repeat(1022)}ü`, { func: 'f' });
    expect(stack.get()).to.include({ data: 'y'.repeat(1022), func: 'f', flags: 3 });
  });

  it('text appended to an entry of bytes takes their place', () => {
    const stack = new ErrorStack();
    stack.raise({ code: 1, data: new Uint8Array([1, 2]) });
    expect(stack.appendData('a', 'b')).to.equal(true);
    expect(stack.get()).to.include({ data: 'ab', flags: DataFlag.owned | DataFlag.text });
    expect(stack.appendData('c')).to.equal(false);
  });

  it('a long piece without a separator is cut, where OpenSSL would never come back', () => {
    const stack = stackOf(1);
    stack.appendText(':', `${'x'.repeat(9000)}:end`);
    const texts = stack.toArray().map(({ data }) => String(data));
    expect(texts.every((text) => text.length < 4000)).to.equal(true);
    expect(texts.join('').replaceAll(':', '')).to.equal(`${'x'.repeat(9000)}end`);
  });

  it('a long text on an empty stack continues in entries of the same code', () => {
    const stack = new ErrorStack();
    stack.appendText('', 'x'.repeat(5000));
    expect(stack.toArray().map(({ library }) => library)).to.deep.equal([Library.none, Library.none]);
  });

  describe('brackets', () => {
    it('discard forgets what was raised in it and nothing else', () => {
      const stack = stackOf(1);
      const bracket = stack.open();
      stack.raise({ code: 2 });
      stack.discard(bracket);
      expect(stack.toArray().map(({ code }) => code)).to.deep.equal([1]);
    });

    it('keep leaves it, take hands it over oldest first', () => {
      const stack = stackOf(1);
      const outer = stack.open();
      const inner = stack.open();
      stack.raise({ code: 2 });
      stack.keep(inner);
      stack.raise({ code: 3 });
      expect(stack.take(outer).map(({ code }) => code)).to.deep.equal([2, 3]);
      expect(stack.length).to.equal(1);
    });

    it('does not depend on what readers take out meanwhile', () => {
      const stack = stackOf(1, 2);
      const bracket = stack.open();
      stack.raise({ code: 3 });
      stack.get();
      stack.clear();
      stack.raise({ code: 4 });
      expect(stack.take(bracket).map(({ code }) => code)).to.deep.equal([4]);
    });

    it('closing an outer one closes those inside it', () => {
      const stack = new ErrorStack();
      const outer = stack.open();
      const inner = stack.open();
      stack.discard(outer);
      expect(stack.openBrackets).to.equal(0);
      expect(() => stack.discard(inner)).to.throw(ApiMisuse, /not open/);
    });

    it('is closed once only', () => {
      const stack = new ErrorStack();
      const bracket = stack.open();
      stack.take(bracket);
      for (const again of [
        () => stack.take(bracket),
        () => stack.keep(bracket),
        () => stack.discard(bracket),
        () => stack.droppedIn(bracket),
      ]) {
        expect(caught(again)).to.include({ code: 'SLUICE_ERRORS_API_MISUSE', blame: 'local', remedy: 'fix' });
      }
    });

    it('counts its own losses, not those of the outer one', () => {
      const stack = new ErrorStack();
      const outer = stack.open();
      for (let code = 1; code <= 10; code++) stack.raise({ code });
      const inner = stack.open();
      for (let code = 11; code <= 27; code++) stack.raise({ code });
      expect([stack.droppedIn(inner), stack.droppedIn(outer)]).to.deep.equal([2, 12]);
    });

    it('reset closes what code that threw left open, and counts it', () => {
      const stack = stackOf(1);
      const bracket = stack.open();
      stack.open();
      stack.raise({ code: 2 });
      expect(stack.reset()).to.equal(2);
      expect([stack.length, stack.openBrackets, stack.reset()]).to.deep.equal([0, 0, 0]);
      expect(() => stack.discard(bracket)).to.throw(ApiMisuse);
    });

    it(`more than ${OPEN_BRACKETS_MAX} open ones are a leak, and said to be`, () => {
      const stack = new ErrorStack();
      for (let i = 0; i < OPEN_BRACKETS_MAX; i++) stack.open();
      expect(() => stack.open()).to.throw(ApiMisuse, /close each/);
    });
  });

  describe('current', () => {
    it('is the same for all who ask on a thread', () => {
      expect(ErrorStack.current()).to.equal(ErrorStack.current());
    });
  });
});
