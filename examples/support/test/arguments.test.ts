import { expect } from 'chai';
import { portNumber, readArguments, wholeNumber } from '../arguments.ts';
import { UsageError } from '../usage-error.ts';

describe('the examples: arguments', () => {
  const options = { port: { type: 'string' }, tls: { type: 'boolean' } } as const;
  const read = (...argv: string[]): unknown => readArguments(argv, options);

  it('are taken in both spellings, and absent when not given', () => {
    expect(read('--port', '1', '--tls')).to.deep.include({ port: '1', tls: true });
    expect(read('--port=1')).to.deep.include({ port: '1' });
    expect(Object.keys(read() as object)).to.deep.equal([]);
  });

  const wrong: [argv: string[], message: string][] = [
    [['--nonsense'], "Unknown option '--nonsense'; see --help"],
    [['-x'], "Unknown option '-x'; see --help"],
    [['stray'], "Unexpected argument 'stray'; see --help"],
    [['--port'], "Option '--port <value>' argument missing; see --help"],
    [['--port', '--tls'], "Option '--port' argument is ambiguous; see --help"],
    [['--tls=yes'], "Option '--tls' does not take an argument; see --help"],
    [['--port', '1', '--port', '2'], '--port is given twice'],
    [['--port='], '--port has an empty value'],
  ];
  for (const [argv, message] of wrong) {
    it(`${argv.join(' ')}: one sentence`, () =>
      expect(() => read(...argv))
        .to.throw(UsageError)
        .with.property('message', message));
  }

  it('that are numbers are whole and within their limits', () => {
    expect([portNumber('--port', '0'), portNumber('--port', '65535')]).to.deep.equal([0, 65_535]);
    for (const text of ['65536', '-1', '1.5', '1e3', 'x', '0x10', ' 1', '9'.repeat(30)]) {
      expect(() => portNumber('--port', text), text)
        .to.throw(UsageError)
        .with.property('message', `--port must be a whole number from 0 to 65535, not '${text}'`);
    }
    expect(() => wholeNumber('--n', '4', 5, 9)).to.throw('--n must be a whole number from 5 to 9');
  });
});
