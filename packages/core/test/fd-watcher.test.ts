import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { SystemError } from '@sluice/errors';
import { expect } from 'chai';
import { DrivenLoop, iterationsUntil, nextIteration } from './support/driven-loop.ts';
import { fifo, wordsOf } from './support/fifos.ts';

describe('FdWatcher', () => {
  it('reports as long as the state lasts, and no longer', async () => {
    const loop = new DrivenLoop();
    const pipe = fifo();
    const bytes = Buffer.alloc(1);
    let got = '';
    loop.watchFd(pipe.reader, 'readable', () => {
      readSync(pipe.reader, bytes);
      got += bytes.toString();
    });
    pipe.write('abc');
    await iterationsUntil(() => got.length === 3);
    const { turns } = loop;
    for (let iteration = 0; iteration < 5; iteration += 1) await nextIteration();
    expect(loop.turns).to.equal(turns);
    expect(got).to.equal('abc');
  });

  it('watches for what it is told to, also while it watches', async () => {
    const loop = new DrivenLoop();
    const pipe = fifo();
    const seen: string[] = [];
    const watcher = loop.watchFd(pipe.reader, 'disconnect', (ready) => {
      seen.push(wordsOf(ready));
      if (ready.disconnect) watcher.stop();
    });
    pipe.write('x');
    await nextIteration();
    await nextIteration();
    expect(seen).to.deep.equal([]);
    watcher.interest = ['readable', 'disconnect'];
    expect(watcher.interest).to.deep.equal(['readable', 'disconnect']);
    await iterationsUntil(() => seen.length > 0);
    expect(seen[0]).to.equal('readable');
    watcher.interest = 'disconnect';
    pipe.close(pipe.writer);
    await iterationsUntil(() => seen.at(-1) === 'disconnect');
  });

  it('tells each watcher of a descriptor what it watches for, and nothing else', async () => {
    const loop = new DrivenLoop();
    const pipe = fifo();
    const seen: string[] = [];
    const watch = (interest: 'readable' | 'disconnect'): unknown =>
      loop.watchFd(pipe.reader, interest, (ready) => seen.push(`${interest}: ${wordsOf(ready)}`), { once: true });
    watch('readable');
    watch('disconnect');
    pipe.write('x');
    pipe.close(pipe.writer);
    await loop.run();
    expect(seen).to.have.members(['readable: readable', 'disconnect: disconnect']);
  });

  it('leaves the descriptor to its owner, who may close it at once, and to others with the same number', async () => {
    const loop = new DrivenLoop();
    const first = fifo();
    const watcher = loop.watchFd(first.reader, 'readable', () => {});
    const other = loop.watchFd(first.reader, 'readable', () => {});
    watcher.stop();
    expect(other.pending).to.equal(true);
    other.stop();
    first.close(first.reader);
    const second = fifo();
    // The lowest free number is given again.
    expect(second.reader).to.equal(first.reader);
    let told = 0;
    loop.watchFd(second.reader, 'readable', (_ready, self) => {
      told += 1;
      self.stop();
    });
    second.write('x');
    expect((await loop.until(loop.run())).reason).to.equal('idle');
    expect(told).to.equal(1);
  });

  it('tells of a descriptor in an error state once, with all that was wanted, and watches no more', async () => {
    const loop = new DrivenLoop();
    const pipe = fifo();
    const seen: string[] = [];
    // A pipe whose reader is gone is in an error state.
    pipe.close(pipe.reader);
    const watcher = loop.watchFd(pipe.writer, ['writable', 'disconnect'], (ready) => seen.push(wordsOf(ready)));
    expect((await loop.until(loop.run())).reason).to.equal('idle');
    expect(seen).to.deep.equal(['writable disconnect failed']);
    expect(watcher.pending).to.equal(false);
  });

  it('keeps the loop alive while it watches, unless it is told not to', async () => {
    const loop = new DrivenLoop();
    const pipe = fifo();
    const watcher = loop.watchFd(pipe.reader, 'readable', () => {}, { ref: false });
    expect(loop.alive).to.equal(false);
    const other = loop.watchFd(pipe.reader, 'readable', () => {});
    expect(loop.alive).to.equal(true);
    other.stop();
    expect(loop.alive).to.equal(false);
    watcher.ref();
    expect(loop.alive).to.equal(true);
    let over = false;
    const run = loop.run().then(() => (over = true));
    for (let iteration = 0; iteration < 5; iteration += 1) await nextIteration();
    expect(over).to.equal(false);
    watcher.unref();
    await run;
    await watcher.close();
    await other.close();
    await iterationsUntil(() => !loop.alive);
  });

  it('says which descriptor cannot be watched, and why', () => {
    const loop = new DrivenLoop();
    const file = openSync(import.meta.filename, 'r');
    const wrong: [number, string][] = [
      [file, 'EPERM'],
      [9999, 'EBADF'],
    ];
    for (const [fd, errno] of wrong) {
      const watch = (): unknown => loop.watchFd(fd, 'readable', () => {});
      expect(watch).to.throw(SystemError, `fd ${fd}`).with.property('errno', errno);
    }
    closeSync(file);
    expect(loop.handles()).to.deep.equal([]);
  });

  it('calls back on timeout, again and again, until something else happens or it is stopped', async () => {
    const loop = new DrivenLoop();
    const at: number[] = [];
    const watcher = loop.watchFd(fifo().reader, 'readable', () => at.push(loop.now()), { timeoutMs: 10 });
    await loop.pass(25);
    watcher.setTimeout(30);
    await loop.pass(31);
    watcher.stop();
    await loop.pass(100);
    watcher.start();
    await loop.pass(30);
    expect(at).to.deep.equal([10, 20, 55, 186]);
    // One that comes late does not put off the next.
    loop.virtual.advance(33);
    await nextIteration();
    expect([at.at(-1), watcher.deadline]).to.deep.equal([219, 246]);
    for (const wrong of [0, -1, Number.NaN]) expect(() => watcher.setTimeout(wrong)).to.throw(/above 0, or null/);
  });

  it('keeps a process alive or lets it end, as it is told', async () => {
    const program = (options: string): string => `
      import { EventLoop } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
      const watcher = new EventLoop().watchFd(0, 'readable', () => { console.log('read'); watcher.stop(); }, ${options});
      console.log('watching');`;
    // What its parent then writes ends the one that is held; the other one needs nothing to end.
    for (const ref of [false, true]) {
      const arguments_ = ['--conditions=@sluice/source', '--input-type=module', '-e', program(`{ ref: ${ref} }`)];
      const child = spawn(process.execPath, arguments_, { stdio: ['pipe', 'pipe', 'inherit'] });
      const exit = once(child, 'close');
      let said = '';
      child.stdout.on('data', (bytes) => (said += String(bytes)));
      await once(child.stdout, 'data');
      if (ref) child.stdin.write('x');
      expect((await exit)[0]).to.equal(0);
      expect(said).to.equal(ref ? 'watching\nread\n' : 'watching\n');
    }
  }).timeout(20_000);
});
