import { expect } from 'chai';
import { AddressRace, type Family } from '../src/address-race.ts';
import { TestLoop } from '../src/testing/index.ts';

const REFUSED = -111;
const UNREACHABLE = -101;

describe('AddressRace', () => {
  let loop: TestLoop;
  let log: string[];
  let answer: Partial<Record<Family, (addresses: readonly string[] | Error) => void>>;
  let decide: Record<string, (status: number) => void>;
  let race: AddressRace;

  function start(families: readonly Family[] = [6, 4]): void {
    loop = new TestLoop();
    log = [];
    answer = {};
    decide = {};
    race = new AddressRace({
      loop,
      families,
      lookUp: (family, done) => {
        answer[family] = (found) => (found instanceof Error ? done(found, []) : done(undefined, found));
      },
      dial: (address, done) => {
        log.push(`${loop.now()} ${address}`);
        decide[address] = done;
        return () => log.push(`${loop.now()} gave up ${address}`);
      },
      lost: (failure) => log.push(`lost ${'status' in failure ? failure.status : failure.error.message}`),
    });
  }

  it('tries the families in turn, IPv6 first, 250 ms apart, and keeps the first that answers', () => {
    start();
    answer[6]?.(['6a', '6b', '6c']);
    answer[4]?.(['4a']);
    loop.advance(700);
    decide['4a']?.(0);
    expect(log).to.deep.equal(['0 6a', '250 4a', '500 6b', '700 gave up 6a', '700 gave up 6b']);
    loop.advance(10_000);
    decide['6a']?.(0);
    expect(log.length).to.equal(5);
    expect(loop.stats.timersPending).to.equal(0);
  });

  it('lets IPv4 wait 50 ms for the addresses of IPv6', () => {
    start();
    answer[4]?.(['4a', '4b']);
    loop.advance(49);
    expect(log).to.deep.equal([]);
    loop.advance(1);
    expect(log).to.deep.equal(['50 4a']);
    answer[6]?.(['6a']);
    loop.advance(250);
    expect(log).to.deep.equal(['50 4a', '300 6a']);
    start();
    answer[4]?.(['4a']);
    loop.advance(20);
    answer[6]?.(['6a']);
    expect(log).to.deep.equal(['20 6a']);
    start();
    answer[4]?.(['4a']);
    answer[6]?.(new Error('ENOTFOUND'));
    expect(log).to.deep.equal(['0 4a']);
  });

  it('goes on at once when an attempt fails, and with what is found late', () => {
    start();
    answer[6]?.(['6a']);
    decide['6a']?.(UNREACHABLE);
    expect(log).to.deep.equal(['0 6a']);
    loop.advance(30);
    answer[4]?.(['4a', '4b']);
    decide['4a']?.(REFUSED);
    expect(log).to.deep.equal(['0 6a', '30 4a', '30 4b']);
    decide['4b']?.(UNREACHABLE);
    expect(log.at(-1)).to.equal(`lost ${REFUSED}`);
    expect(loop.stats.timersPending).to.equal(0);
  });

  it('says what the lookup said when there is no address at all', () => {
    start();
    answer[6]?.(new Error('six'));
    expect(log).to.deep.equal([]);
    answer[4]?.(new Error('four'));
    expect(log).to.deep.equal(['lost six']);
    start([4]);
    answer[4]?.([]);
    expect(log[0]).to.match(/no addresses/);
  });

  it('tries no more than 16 addresses of a family', () => {
    start([6]);
    answer[6]?.(Array.from({ length: 100 }, (_, index) => `${index}`));
    for (let index = 0; index < 16; index += 1) decide[index]?.(REFUSED);
    expect(log.length).to.equal(17);
    expect(log.at(-1)).to.equal(`lost ${REFUSED}`);
  });

  it('is given up as a whole', () => {
    start();
    answer[6]?.(['6a', '6b']);
    race.cancel();
    race.cancel();
    answer[4]?.(['4a']);
    loop.advance(1000);
    expect(log).to.deep.equal(['0 6a', '0 gave up 6a']);
  });
});
