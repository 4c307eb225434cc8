import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { type BufferChange, ChangeListeners } from '../src/change-listeners.ts';
import { EvBuffer } from '../src/evbuffer.ts';

/** Writes changes down as "before +added -removed". */
function logTo(log: string[], name = ''): (change: BufferChange) => void {
  return ({ before, added, removed }) => log.push(`${name}${before} +${added} -${removed}`);
}

describe('ChangeListeners', () => {
  it('tells every listener in the order of their coming', () => {
    const log: string[] = [];
    const listeners = new ChangeListeners();
    listeners.add(logTo(log, 'a '));
    listeners.add(logTo(log, 'b '));
    listeners.tell(10, 3, 1);
    expect(log).to.deep.equal(['a 10 +3 -1', 'b 10 +3 -1']);
  });

  it('sums up in another round what listeners change, to any depth, without recursion', () => {
    const buffer = new EvBuffer();
    const log: string[] = [];
    let depth = 0;
    buffer.onChange(({ added }) => {
      depth += 1;
      expect(depth).to.equal(1);
      if (added > 0) {
        buffer.drain(2);
        if (buffer.length > 0) buffer.append('x');
      }
      depth -= 1;
    });
    buffer.onChange(logTo(log));
    buffer.append('0123456789');
    // Each round takes two and adds one, until there is nothing left to take.
    expect(log.slice(0, 3)).to.deep.equal(['0 +10 -0', '10 +1 -2', '9 +1 -2']);
    expect(log.at(-1)).to.equal('2 +0 -2');
    expect(buffer.length).to.equal(0);
  }).timeout(1000);

  it('ends two listeners that undo each other without end, and names the mistake', () => {
    const buffer = new EvBuffer();
    const grow = buffer.onChange(({ added }) => (added > 0 ? buffer.clear() : buffer.append('x')));
    expect(() => buffer.append('go')).to.throw(ApiMisuse, /come to rest/);
    grow.unsubscribe();
    const log: string[] = [];
    buffer.onChange(logTo(log));
    const before = buffer.length;
    buffer.append('on');
    expect(log).to.deep.equal([`${before} +2 -0`]);
  });

  it('lets a listener remove itself and others, at once', () => {
    const log: string[] = [];
    const listeners = new ChangeListeners();
    const first = listeners.add(() => {
      log.push('first');
      first.unsubscribe();
      second[Symbol.dispose]();
    });
    const second = listeners.add(() => log.push('second'));
    listeners.add(() => log.push('third'));
    listeners.tell(0, 1, 0);
    listeners.tell(1, 1, 0);
    first.unsubscribe();
    expect(log).to.deep.equal(['first', 'third', 'third']);
    expect(listeners.size).to.equal(1);
  });

  it('tells a listener that was added in a round from the next round on', () => {
    const log: string[] = [];
    const listeners = new ChangeListeners();
    const once = listeners.add(() => {
      once.unsubscribe();
      listeners.add(logTo(log));
    });
    listeners.tell(0, 1, 0);
    expect(log).to.deep.equal([]);
    listeners.tell(1, 2, 0);
    expect(log).to.deep.equal(['1 +2 -0']);
  });

  it('tells the others when one throws, and throws the first error to who changed the buffer', () => {
    const buffer = new EvBuffer();
    const log: string[] = [];
    buffer.onChange(() => {
      throw new Error('first');
    });
    buffer.onChange(() => {
      throw new Error('second');
    });
    buffer.onChange(logTo(log));
    expect(() => buffer.append('x')).to.throw('first');
    expect(() => buffer.append('y')).to.throw('first');
    expect(log).to.deep.equal(['0 +1 -0', '1 +1 -0']);
    expect(buffer.toString()).to.equal('xy');
  });

  it('asks for a function', () => {
    expect(() => new EvBuffer().onChange('no' as never)).to.throw(ApiMisuse, /listener must be a function/);
  });
});
