import type { CloseReport } from '@sluice/core';
import { createEntry, packCode, TlsError } from '@sluice/errors';
import { expect } from 'chai';
import { closeLine } from '../report.ts';

describe('echo-server reports', () => {
  const clean: CloseReport = {
    end: 'end',
    direction: 'both',
    layer: 'core',
    error: undefined,
    code: null,
    blame: null,
    remedy: null,
    entries: [],
    bytesIn: 12,
    bytesOut: 34,
    durationMs: 5,
  };

  it('of a clean end', () => {
    expect(JSON.parse(closeLine({ id: 3, transport: 'tcp' }, clean))).to.deep.equal({
      id: 3,
      transport: 'tcp',
      end: 'end',
      direction: 'both',
      layer: 'core',
      code: null,
      blame: null,
      remedy: null,
      bytesIn: 12,
      bytesOut: 34,
      handshake: null,
      entries: [],
    });
  });

  it('of a failure: one line with the entries, oldest first, and the handshake', () => {
    const error = new TlsError('the peer cut\nthe connection', {
      code: 'SLUICE_TLS_TRUNCATED',
      layer: 'tls',
      operation: 'read',
      blame: 'remote',
      remedy: 'close',
      entries: [createEntry({ code: packCode(20, 294), func: 'ssl3_read_n' }), createEntry({ code: packCode(20, 1) })],
    });
    const { code, layer, blame, remedy, entries } = error;
    const handshake = { acceptCalls: 3, wantWrite: 1, wantRead: 1, spins: 0, durationMs: 2 };
    const failed: CloseReport = {
      ...clean,
      end: 'truncated',
      direction: 'read',
      error,
      code,
      layer,
      blame,
      remedy,
      entries,
    };
    const line = closeLine({ id: 4, transport: 'tls' }, Object.assign({}, failed, { handshake, alerts: [] }));
    expect(line).to.not.contain('\n');
    const parsed = JSON.parse(line);
    expect(parsed).to.deep.include({
      end: 'truncated',
      layer: 'tls',
      code,
      blame: 'remote',
      remedy: 'close',
      handshake,
    });
    expect(parsed.entries.map(({ text }: { text: string }) => text)).to.deep.equal([
      'error:0A000126:SSL routines::unexpected eof while reading',
      'error:0A000001:SSL routines::reason(1)',
    ]);
    expect(parsed).to.not.have.property('alerts');
  });
});
