import { expect } from 'chai';
import {
  createEntry,
  ErrorStack,
  errorString,
  formatEntry,
  formatLine,
  formatLines,
  Library,
  namesFrom,
  packCode,
  PRINT_BYTES_MAX,
  printEntry,
  printErrors,
} from '../src/index.ts';

const EOF = 0x0a000126;

describe('formats', () => {
  it('an entry says what, details and where', () => {
    const entry = createEntry({ code: EOF, data: 'why', func: 'read', file: 'ssl.c', line: 7 });
    expect(formatEntry(entry)).to.equal(
      'error:0A000126:SSL routines::unexpected eof while reading {why} at read ssl.c:7',
    );
    expect(formatEntry(createEntry({ code: EOF, func: 'read' }))).to.match(/reading at read$/);
  });

  it('bytes are shown in hexadecimal', () => {
    expect(formatEntry(createEntry({ code: EOF, data: new Uint8Array([0, 255]) }))).to.match(/\{00ff\}$/);
  });

  it('a list is one line, or one line each, in either order', () => {
    const entries = [createEntry({ code: EOF }), createEntry({ code: packCode(200, 77) })];
    const [first, second] = entries.map((entry) => formatEntry(entry));
    expect(formatLine([])).to.equal('[]');
    expect(formatLine(entries)).to.equal(`[{${first}},{${second}}]`);
    expect(formatLines(entries)).to.equal(`${first}\n${second}`);
    expect(formatLines(entries, { order: 'newest-first' })).to.equal(`${second}\n${first}`);
  });

  it('names come from the source that is passed', () => {
    const names = namesFrom(() => ['TLS', 'gone']);
    expect(errorString(EOF, names)).to.equal('error:0A000126:TLS::gone');
    expect(formatLine([createEntry({ code: EOF })], { names })).to.equal('[{error:0A000126:TLS::gone}]');
  });

  it('a printed line has the place and the details, without bytes', () => {
    const where = { func: 'read', file: 'ssl.c', line: 7 };
    const text = 'error:0A000126:SSL routines:read:unexpected eof while reading:ssl.c:7:';
    expect(printEntry(createEntry({ code: EOF, ...where, data: 'why' }), 'T1')).to.equal(`T1:${text}why\n`);
    expect(printEntry(createEntry({ code: EOF, ...where, data: new Uint8Array(3) }), 'T1')).to.equal(`T1:${text}\n`);
  });

  it('a printed line is cut to the room that OpenSSL has, never inside a character', () => {
    const line = printEntry(createEntry({ code: EOF, data: 'ü'.repeat(4000) }), 'T');
    expect(Buffer.byteLength(line)).to.be.within(PRINT_BYTES_MAX - 2, PRINT_BYTES_MAX - 1);
    expect(line.endsWith('ü')).to.equal(true);
  });

  it('printing drains until it is told to stop', () => {
    const stack = new ErrorStack();
    for (const reason of [1, 2, 3]) stack.raise({ code: packCode(Library.user, reason) });
    const lines: string[] = [];
    printErrors(stack, 'T', (line) => lines.push(line) < 2);
    expect(lines).to.have.length(2);
    expect(stack.length).to.equal(1);
  });
});
