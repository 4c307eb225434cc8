import { expect } from 'chai';
import { Alert, alertName, alertsFromTriples } from '../src/alert.ts';

describe('alert', () => {
  it('names what the RFCs name', () => {
    expect(alertName(Alert.closeNotify)).to.equal('close_notify');
    expect(alertName(Alert.userCanceled)).to.equal('user_canceled');
    expect(alertName(48)).to.equal('unknown_ca');
    expect(alertName(200)).to.equal('alert 200');
  });

  it('reads the triples of the engine', () => {
    expect(alertsFromTriples(Int32Array.of(1, 2, 48, 0, 1, 0))).to.deep.equal([
      { sent: true, level: 2, description: 48, name: 'unknown_ca' },
      { sent: false, level: 1, description: 0, name: 'close_notify' },
    ]);
    expect(alertsFromTriples(Int32Array.of())).to.deep.equal([]);
  });
});
