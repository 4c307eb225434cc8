import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { listenFds } from '../src/index.ts';

describe('listenFds', () => {
  it('lists the descriptors that are meant for this process, by name, and takes them out of the environment', () => {
    const env = { LISTEN_PID: '77', LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:admin', HOME: '/' };
    expect(listenFds(env, 77)).to.deep.equal([
      { fd: 3, name: 'web' },
      { fd: 4, name: 'admin' },
      { fd: 5, name: 'unknown' },
    ]);
    expect(env).to.deep.equal({ HOME: '/' });
    expect(listenFds(env, 77)).to.deep.equal([]);
  });

  it('takes nothing that is meant for another process, and leaves it', () => {
    const env = { LISTEN_PID: '78', LISTEN_FDS: '1' };
    expect(listenFds(env, 77)).to.deep.equal([]);
    expect(env).to.deep.equal({ LISTEN_PID: '78', LISTEN_FDS: '1' });
    expect(listenFds({ LISTEN_FDS: '1' }, 77)).to.deep.equal([]);
    expect(listenFds({ LISTEN_PID: '77' }, 77)).to.deep.equal([]);
  });

  it('refuses a count that is none', () => {
    for (const count of ['', 'three', '-1', '1.5', '5000', '99999999']) {
      expect(() => listenFds({ LISTEN_PID: '77', LISTEN_FDS: count }, 77)).to.throw(ApiMisuse, /LISTEN_FDS/);
    }
  });
});
