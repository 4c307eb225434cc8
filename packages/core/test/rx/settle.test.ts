import { expect } from 'chai';
import { from, NEVER, of, Subject, throwError } from 'rxjs';
import { Lease, settle } from '../../src/rx/index.ts';

function leases(...texts: string[]) {
  const released: string[] = [];
  return {
    released,
    source: from(texts.map((text) => new Lease(Buffer.from(text), () => released.push(text)))),
  };
}

describe('settle', () => {
  it('releases each lease when its work completes, and not before', () => {
    const { released, source } = leases('a', 'b');
    const works = new Map<string, Subject<string>>();
    const results: string[] = [];
    const work = (bytes: Buffer) => {
      const subject = new Subject<string>();
      works.set(bytes.toString(), subject);
      return subject;
    };
    source.pipe(settle(work)).subscribe((result) => results.push(result));
    expect([...works.keys()]).to.deep.equal(['a']);
    works.get('a')?.next('first');
    expect(released).to.deep.equal([]);
    works.get('a')?.complete();
    expect(released).to.deep.equal(['a']);
    expect([...works.keys()]).to.deep.equal(['a', 'b']);
    expect(results).to.deep.equal(['first']);
  });

  it('works on as many at a time as it was told', () => {
    const { source } = leases('a', 'b', 'c');
    const begun: string[] = [];
    source.pipe(settle((bytes) => (begun.push(bytes.toString()), NEVER), 2)).subscribe();
    expect(begun).to.deep.equal(['a', 'b']);
  });

  it('takes work that is a promise or an array', async () => {
    const { released, source } = leases('a', 'b');
    const results = await new Promise<string[]>((resolve) => {
      const got: string[] = [];
      source
        .pipe(settle((bytes) => (bytes.toString() === 'a' ? [1, 2].map(String) : Promise.resolve('three'))))
        .subscribe({ next: (value) => got.push(value), complete: () => resolve(got) });
    });
    expect(results).to.deep.equal(['1', '2', 'three']);
    expect(released).to.deep.equal(['a', 'b']);
  });

  it('releases when the work fails, throws, or is unsubscribed from', () => {
    const failing = leases('a');
    failing.source.pipe(settle(() => throwError(() => new Error('no')))).subscribe({ error: () => {} });
    expect(failing.released).to.deep.equal(['a']);

    const throwing = leases('a');
    const errors: unknown[] = [];
    const boom = (): never => {
      throw new Error('boom');
    };
    throwing.source.pipe(settle(boom)).subscribe({ error: (error) => errors.push(error) });
    expect(throwing.released).to.deep.equal(['a']);
    expect(String(errors[0])).to.equal('Error: boom');

    const left = leases('a');
    const subscription = left.source.pipe(settle(() => NEVER)).subscribe();
    expect(left.released).to.deep.equal([]);
    subscription.unsubscribe();
    expect(left.released).to.deep.equal(['a']);
  });

  it('tells a result before it releases', () => {
    const { released, source } = leases('a');
    source.pipe(settle((bytes) => of(bytes))).subscribe(() => expect(released).to.deep.equal([]));
    expect(released).to.deep.equal(['a']);
  });
});
