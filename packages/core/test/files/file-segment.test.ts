import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { AbortedError, ApiMisuse, SystemError } from '@sluice/errors';
import { expect } from 'chai';
import { FileSegment } from '../../src/index.ts';
import { nextIteration } from '../support/driven-loop.ts';
import { descriptorsOf, rejection, temporaryFile, temporaryPath } from '../support/files.ts';

const TEXT = 'here is a relatively small string.';

describe('FileSegment', () => {
  it('is the whole file, or a part, by path, URL or handle', async () => {
    const path = await temporaryFile(TEXT);
    for (const source of [path, pathToFileURL(path)]) {
      const segment = await FileSegment.open(source);
      expect([segment.start, segment.length, segment.users, segment.closed]).to.deep.equal([0, TEXT.length, 0, false]);
      expect((await segment._read('test', 5, 100)).toString()).to.equal(TEXT.slice(5));
      await segment.close();
    }
    const handle = await open(path);
    const part = await FileSegment.open(handle, { start: 5, end: 9 });
    expect([part.start, part.length]).to.deep.equal([5, 4]);
    expect((await part._read('test', 1, 3)).toString()).to.equal(TEXT.slice(6, 9));
    await part.close();
    expect(handle.fd).to.be.above(0);
    await handle.close();
  });

  it('closes what it opened, and a handle only when told to', async () => {
    const path = await temporaryFile(TEXT);
    const segment = await FileSegment.open(path);
    expect(await descriptorsOf(path)).to.equal(1);
    await segment.close();
    expect(await descriptorsOf(path)).to.equal(0);
    const handle = await open(path);
    const owning = await FileSegment.open(handle, { autoClose: true });
    await owning[Symbol.asyncDispose]();
    expect(handle.fd).to.equal(-1);
  });

  it('stays open until its last use is over, and then tells its maker, once', async () => {
    const path = await temporaryFile(TEXT);
    let released = 0;
    const segment = await FileSegment.open(path, {
      onRelease: () => {
        released += 1;
      },
    });
    let finish = (): void => {};
    const use = segment._with('test', () => new Promise<void>((resolve) => (finish = resolve)));
    const closing = segment.close();
    expect([segment.users, segment.closed, segment.closed]).to.deep.equal([1, true, true]);
    await nextIteration();
    expect([await descriptorsOf(path), released]).to.deep.equal([1, 0]);
    const controller = new AbortController();
    const impatient = rejection(segment.close({ signal: controller.signal }));
    controller.abort();
    expect(await impatient).to.be.instanceOf(AbortedError);
    expect(await descriptorsOf(path), 'it goes on').to.equal(1);
    finish();
    await use;
    await closing;
    await segment.close();
    await nextIteration();
    expect([await descriptorsOf(path), released, segment.users]).to.deep.equal([0, 1, 0]);
    expect(await rejection(segment._with('test', async () => {}))).to.have.property('code', 'SLUICE_CORE_FILE_CLOSED');
  });

  it('rejects close, and still tells its maker, when the system cannot close it', async () => {
    const handle = await open(await temporaryFile(TEXT));
    let released = 0;
    const segment = await FileSegment.open(handle, { autoClose: true, onRelease: () => (released += 1) });
    const close = handle.close.bind(handle);
    handle.close = async () => {
      await close();
      throw Object.assign(new Error('EIO: i/o error, close'), { code: 'EIO', syscall: 'close' });
    };
    expect(await rejection(segment.close())).to.have.property('code', 'SLUICE_SYSTEM_EIO');
    await nextIteration();
    expect(released).to.equal(1);
  });

  it('is given up while it is opened, by its signal, and leaves nothing open', async () => {
    const path = await temporaryFile(TEXT);
    const controller = new AbortController();
    const opening = rejection(FileSegment.open(path, { signal: controller.signal }));
    controller.abort();
    expect(await opening).to.have.property('code', 'SLUICE_CORE_ABORTED');
    const before = FileSegment.open(path, { signal: AbortSignal.abort() });
    expect(await rejection(before)).to.be.instanceOf(AbortedError);
    while ((await descriptorsOf(path)) > 0) await nextIteration();
    const handle = await open(path);
    const ofHandle = FileSegment.open(handle, { signal: controller.signal });
    expect(await rejection(ofHandle)).to.be.instanceOf(AbortedError);
    await handle.close();
    const opened = await FileSegment.open(path, { signal: new AbortController().signal });
    expect(opened.length).to.equal(TEXT.length);
    await opened.close();
  });

  it('says what is wrong with a file, and leaves nothing open', async () => {
    const path = await temporaryFile(TEXT);
    const missing = await rejection(FileSegment.open(`${path}.not`));
    expect(missing).to.be.instanceOf(SystemError);
    expect(missing).to.include({ code: 'SLUICE_SYSTEM_ENOENT', blame: 'local', syscall: 'open' });
    expect(missing.message).to.contain(`${path}.not`);
    expect(await rejection(FileSegment.open('/'))).to.have.property('code', 'SLUICE_CORE_FILE_NOT_REGULAR');
    for (const range of [{ start: 100 }, { end: TEXT.length + 1 }, { start: 40, end: 50 }]) {
      const short = await rejection(FileSegment.open(path, range));
      expect(short).to.have.property('code', 'SLUICE_CORE_FILE_SHORT');
      expect(short.message).to.contain(`ends at byte ${TEXT.length}`);
    }
    const wrong = [{ start: 5, end: 4 }, { start: -1 }, { end: 0.5 }, { start: Number.NaN }];
    for (const range of wrong) expect(await rejection(FileSegment.open(path, range))).to.be.instanceOf(ApiMisuse);
    expect(await rejection(FileSegment.open(7 as unknown as string))).to.be.instanceOf(ApiMisuse);
    expect(await descriptorsOf(path)).to.equal(0);
  });

  it('refuses a FIFO at once, though nobody writes to it', async () => {
    const path = await temporaryPath('fifo');
    execFileSync('mkfifo', [path]);
    expect(await rejection(FileSegment.open(path))).to.have.property('code', 'SLUICE_CORE_FILE_NOT_REGULAR');
  });
});
