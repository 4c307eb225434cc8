import { expect } from 'chai';
import { UsageError } from '../../support/usage-error.ts';
import { HELP, parseOptions } from '../options.ts';

describe('kv-server options', () => {
  const parse = (line: string): unknown => parseOptions(line.split(' ').filter((word) => word !== ''));

  it('are read, with their defaults', () => {
    expect(parse('--port 0')).to.deep.equal({
      port: 0,
      host: '127.0.0.1',
      unixPath: undefined,
      tls: undefined,
      memoryLimitBytes: undefined,
    });
    expect(parse('--host ::1 --unix /s --tls-port 2 --cert c --key k --memory-limit 4194304')).to.deep.equal({
      port: undefined,
      host: '::1',
      unixPath: '/s',
      tls: { port: 2, certFile: 'c', keyFile: 'k' },
      memoryLimitBytes: 4_194_304,
    });
  });

  it('--help wins over everything else that can be read', () => {
    expect(parse('--port x --help')).to.equal('help');
    for (const option of ['--port', '--host', '--unix', '--tls-port', '--cert', '--key', '--memory-limit']) {
      expect(HELP).to.contain(`\n  ${option} `);
    }
  });

  const wrong: [line: string, message: RegExp][] = [
    ['', /^nowhere to listen: .*--port/],
    ['--port x', /^--port must be .*'x'/],
    ['--tls-port 70000 --cert c --key k', /^--tls-port must be .*65535/],
    ['--tls-port 1', /^--tls-port needs --cert/],
    ['--tls-port 1 --cert c', /^--tls-port needs --key/],
    ['--port 1 --cert c', /^--cert is of no use without --tls-port/],
    ['--port 1 --key k', /^--key is of no use without --tls-port/],
    ['--port 1 --memory-limit 1000', /^--memory-limit must be .* from 4096/],
    ['--port 1 --bio-bytes 1', /^Unknown option '--bio-bytes'/],
  ];
  for (const [line, message] of wrong) {
    it(`'${line}' is refused in one sentence`, () => expect(() => parse(line)).to.throw(UsageError, message));
  }
});
