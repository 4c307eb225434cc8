import { expect } from 'chai';
import { copyEntry, createEntry, entriesFromNative, fromNative, Library, systemCode } from '../src/index.ts';

describe('error entries', () => {
  it('an entry has the parts of its code beside it', () => {
    expect(createEntry({ code: 0x0a0c0100 })).to.deep.equal({
      code: 0x0a0c0100,
      library: Library.ssl,
      reason: 0xc0100,
      fatal: true,
      common: true,
      errno: 0,
      func: '',
      file: '',
      line: -1,
      data: '',
      flags: 0,
    });
    expect(createEntry({ code: systemCode(32) })).to.include({ library: Library.system, errno: 32, fatal: false });
  });

  it('flags say what kind of data there is', () => {
    const flags = ['text', '', new Uint8Array(1)].map((data) => createEntry({ code: 1, data }).flags);
    expect(flags).to.deep.equal([3, 0, 1]);
  });

  it('an entry owns its bytes, and so does each copy', () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const entry = createEntry({ code: 1, data: bytes });
    const copy = copyEntry(entry);
    bytes.fill(9);
    expect(entry.data).to.deep.equal(new Uint8Array([1, 2, 3]));
    (copy.data as Uint8Array).fill(8);
    expect(entry.data).to.deep.equal(new Uint8Array([1, 2, 3]));
  });

  it('a view of a larger buffer takes only its own bytes along', () => {
    const entry = createEntry({ code: 1, data: Buffer.from('abcdef').subarray(2, 4) });
    expect((entry.data as Uint8Array).buffer.byteLength).to.equal(2);
  });

  it('structured clone keeps an entry whole and shares nothing', () => {
    const entry = createEntry({ code: 0x0a000126, func: 'f', data: new Uint8Array([1]) });
    const clone = structuredClone(entry);
    expect(clone).to.deep.equal(entry);
    expect(clone.data).to.not.equal(entry.data);
  });

  it('native entries are taken over in order; none is an empty list', () => {
    const [entry] = entriesFromNative([[0x0a000126 | 0, 'ssl.c', 12, 'read', 'why', 3]]);
    expect(entry).to.deep.equal(createEntry({ code: 0x0a000126, file: 'ssl.c', line: 12, func: 'read', data: 'why' }));
    expect(fromNative([-0x7fffff98, '', 0, '', '', 0]).errno).to.equal(104);
    expect(entriesFromNative(undefined)).to.deep.equal([]);
  });
});
