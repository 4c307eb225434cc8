import { expect } from 'chai';
import { untilTestEnds } from './until-test-ends.ts';

describe('untilTestEnds', () => {
  const disposed: string[] = [];
  const resource = (name: string): AsyncDisposable => ({
    [Symbol.asyncDispose]: async () => {
      await Promise.resolve();
      disposed.push(name);
    },
  });

  beforeEach(() => void untilTestEnds(resource('from beforeEach')));

  afterEach(() => {
    expect(disposed).to.deep.equal(['second', 'first', 'from beforeEach']);
  });

  it('disposes in reverse, before the hooks that follow', async () => {
    untilTestEnds(resource('first'));
    await Promise.resolve();
    untilTestEnds(resource('second'));
    expect(disposed).to.deep.equal([]);
  });
});
