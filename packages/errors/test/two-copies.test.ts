/** The package twice in one program, as npm installs it when two of its users want different versions. */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { expect } from 'chai';
import * as ours from '../src/index.ts';
import { ssl } from './support/memory-channel.ts';

const options: ours.SluiceErrorOptions = {
  code: 'SLUICE_TLS_TRUNCATED',
  layer: 'tls',
  operation: 'read',
  blame: 'remote',
  remedy: 'close',
};

const kinds = [
  'SluiceError',
  'TlsError',
  'QuicError',
  'LimitError',
  'TimeoutError',
  'AbortedError',
  'UnsupportedError',
] as const;

describe('two copies of the package', () => {
  let theirs: typeof ours;
  let directory: string;

  before(async () => {
    // Inside the repository, so that rxjs is found: a peer dependency is one for both.
    const parent = fileURLToPath(new URL('../../../build', import.meta.url));
    await mkdir(parent, { recursive: true });
    directory = await mkdtemp(join(parent, 'errors-copy-'));
    await cp(fileURLToPath(new URL('../src', import.meta.url)), directory, { recursive: true });
    theirs = (await import(pathToFileURL(join(directory, 'index.ts')).href)) as typeof ours;
  });
  after(() => rm(directory, { recursive: true }));

  it('share no function and no class', () => {
    const shared = Object.entries(ours).filter(
      ([name, value]) => typeof value === 'function' && value === Reflect.get(theirs, name),
    );
    expect(shared.map(([name]) => name)).to.deep.equal([]);
    expect(Object.keys(theirs)).to.deep.equal(Object.keys(ours));
  });

  it('know the errors of each other, each kind by its class and by no other', () => {
    for (const [makers, judges] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      for (const kind of kinds) {
        const error = new makers[kind]('m', options);
        const known = kinds.filter((other) => error instanceof judges[other]);
        expect(known).to.deep.equal(kind === 'SluiceError' ? [kind] : ['SluiceError', kind]);
        expect(error instanceof judges.ApiMisuse).to.equal(false);
      }
      expect(new makers.ApiMisuse('m', options) instanceof judges.ApiMisuse).to.equal(true);
      const system = makers.errorFromErrno('ECONNRESET', { operation: 'read' });
      expect(system instanceof judges.SystemError && system instanceof judges.SluiceError).to.equal(true);
      expect(system instanceof judges.TlsError).to.equal(false);
    }
  });

  it('tell the causes of each other in full', () => {
    const cause = theirs.errorFromEntries([theirs.createEntry({ code: ssl('badPacket'), data: 'why' })], {
      layer: 'tls',
      operation: 'read',
    });
    const error = new ours.TlsError('m', { ...options, cause });
    expect(JSON.parse(JSON.stringify(error))).to.have.nested.property('cause.entries[0].data', 'why');
    expect(inspect(error)).to.include('TlsError [SLUICE_TLS_PROTOCOL]').and.include('bad packet {why}');
  });

  it('have one stack per thread between them, with its brackets', () => {
    const stack = ours.ErrorStack.current();
    expect(theirs.ErrorStack.current()).to.equal(stack);
    const channel = new theirs.ChannelErrorStack({ layer: 'tls' });
    const bracket = new ours.ChannelErrorStack().begin();
    stack.raise({ code: 1 });
    const inner = channel.begin();
    stack.raise({ code: ssl('badPacket') });
    channel.failFrom(inner, { operation: 'read' });
    expect(stack.take(bracket).map(({ code }) => code)).to.deep.equal([1]);
    expect(channel.staleErrors, 'an entry of the operation around it').to.equal(0);
    expect(channel.report('read')).to.be.instanceOf(ours.TlsError).and.include({ code: 'SLUICE_TLS_PROTOCOL' });
  });

  it('have channels that depend on ports of each other, and results that ask channels of each other', () => {
    const port = new theirs.PortErrorStack();
    const channel = new ours.ChannelErrorStack({ layer: 'quic' });
    const result = new theirs.LastResult(channel);
    port.add(channel);
    port.fail([ours.createEntry({ code: ours.systemCode(100) })], { operation: 'recvmsg' });
    expect(result.value).to.equal('syscall');
    expect(channel.report('read')).to.be.instanceOf(theirs.QuicError).and.include({ code: 'SLUICE_QUIC_ENETDOWN' });
  });

  it('restore the states of each other', () => {
    const stack = new ours.ErrorStack();
    stack.raise({ code: 1, data: new Uint8Array([1]) });
    const other = new theirs.ErrorStack();
    theirs.restore(other, ours.save(stack));
    expect(other.toArray()).to.deep.equal([ours.createEntry({ code: 1, data: new Uint8Array([1]) })]);
  });
});
