import { expect } from 'chai';
import { CLOSE_REASON_LENGTH_MAX, classifyClose, closeInfo, describeClose, IDLE_TIMEOUT } from '../src/index.ts';

describe('a close without entries', () => {
  const cases: [name: string, init: Parameters<typeof closeInfo>[0], what: string, end: string, blame: string][] = [
    ['idle timeout', { code: IDLE_TIMEOUT, remote: false, transport: true }, 'IDLE_TIMEOUT', 'timeout', 'remote'],
    ['clean close by the peer', { code: 0, remote: true, transport: false }, 'CLOSED_BY_PEER', 'end', 'remote'],
    [
      'close by the peer with a code',
      { code: 42, remote: true, transport: false },
      'CLOSED_BY_PEER',
      'reset',
      'remote',
    ],
    ['stateless reset', { code: 0, remote: true, transport: true }, 'RESET', 'reset', 'remote'],
    [
      "the peer's transport",
      { code: 1, remote: true, transport: true },
      'CLOSED_BY_PEER_TRANSPORT',
      'failed',
      'remote',
    ],
    ['clean close here', { code: 0, remote: false, transport: false }, 'CLOSED', 'end', 'local'],
    ['close here with a code', { code: 7, remote: false, transport: false }, 'CLOSED', 'aborted', 'local'],
    ["this side's transport", { code: 7, remote: false, transport: true }, 'PROTOCOL', 'failed', 'remote'],
  ];
  for (const [name, init, what, end, blame] of cases) {
    it(`${name}: ${what}`, () => {
      expect(classifyClose(closeInfo(init))).to.include({ what, end, blame });
    });
  }

  it('is described by code, frame type and quoted reason', () => {
    const info = closeInfo({
      code: 7,
      frameType: 0x3fff_ffff_ffff_ffffn,
      reason: 'a "b"',
      remote: true,
      transport: true,
    });
    expect(describeClose(info)).to.equal('code 0x7, frame type 0x3fffffffffffffff, "a \\"b\\""');
    expect(describeClose(closeInfo({ code: IDLE_TIMEOUT, remote: false, transport: true }))).to.equal('');
  });

  it('keeps no more of a reason than a packet can hold', () => {
    const info = closeInfo({ code: 1, reason: 'x'.repeat(10_000), remote: true, transport: false });
    expect(info.reason).to.have.length(CLOSE_REASON_LENGTH_MAX);
  });
});
