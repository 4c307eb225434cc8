import { expect } from 'chai';
import { UsageError } from '../../support/usage-error.ts';
import { HELP, parseOptions } from '../options.ts';

describe('echo-server options', () => {
  const parse = (line: string): unknown => parseOptions(line.split(' ').filter((word) => word !== ''));

  it('are read, with their defaults', () => {
    const plain = { port: 7, host: '127.0.0.1', unixPath: undefined, tls: undefined, log: undefined };
    expect(parse('--port 7')).to.deep.equal(plain);
    expect(parse('--unix /s --log json')).to.deep.equal({ ...plain, port: undefined, unixPath: '/s', log: 'json' });
    expect(parse('--port 7 --tls --cert c --key k --bio-bytes 1')).to.deep.equal({
      ...plain,
      tls: { certFile: 'c', keyFile: 'k', bioBytes: 1 },
    });
  });

  it('--help wins over everything else that can be read', () => {
    expect(parse('--tls --help')).to.equal('help');
    for (const option of ['--port', '--host', '--tls', '--cert', '--key', '--unix', '--bio-bytes', '--log']) {
      expect(HELP).to.contain(`\n  ${option} `);
    }
  });

  const wrong: [line: string, message: RegExp][] = [
    ['', /^nowhere to listen/],
    ['--port 1 --tls', /^--tls needs --cert/],
    ['--port 1 --tls --cert c', /^--tls needs --key/],
    ['--unix /s --tls --cert c --key k', /^--tls needs --port/],
    ['--port 1 --cert c', /^--cert is of no use without --tls/],
    ['--port 1 --key k', /^--key is of no use without --tls/],
    ['--port 1 --bio-bytes 5', /^--bio-bytes is of no use without --tls/],
    ['--port 1 --tls --cert c --key k --bio-bytes 0', /^--bio-bytes must be .* from 1 to/],
    ['--port 1 --log text', /^--log knows only json, not 'text'/],
  ];
  for (const [line, message] of wrong) {
    it(`'${line}' is refused in one sentence`, () => expect(() => parse(line)).to.throw(UsageError, message));
  }
});
