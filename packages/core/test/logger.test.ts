import { expect } from 'chai';
import { childLogger, type Logger } from '../src/logger.ts';
import { silentLogger } from '../src/index.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** A logger without `child`: the least there is. */
function plain(lines: unknown[][]): Logger {
  const write =
    (level: string) =>
    (...line: unknown[]): void =>
      void lines.push([level, ...line]);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

describe('childLogger', () => {
  it('asks a logger that makes children for one', () => {
    const made: unknown[] = [];
    const parent: Logger = { ...plain([]), child: (bindings) => (made.push(bindings), silentLogger) };
    expect(childLogger(parent, { id: 1 })).to.equal(silentLogger);
    expect(made).to.deep.equal([{ id: 1 }]);
  });

  it('adds the bindings to each line of one that does not, and to those of its children', () => {
    const lines: unknown[][] = [];
    const child = childLogger(plain(lines), { id: 1 });
    for (const level of LEVELS) child[level]({ at: level }, 'said');
    expect(lines).to.deep.equal(LEVELS.map((level) => [level, { id: 1, at: level }, 'said']));
    lines.length = 0;
    child.child?.({ stream: 2 }).info({ id: 3 });
    expect(lines).to.deep.equal([['info', { id: 3, stream: 2 }, undefined]]);
  });
});

describe('silentLogger', () => {
  it('takes everything and says nothing', () => {
    for (const level of LEVELS) expect(silentLogger.child?.({})[level]({}, 'x')).to.equal(undefined);
  });
});
