import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

/** Drops two leases and releases one, collects garbage, and tells what Node was warned of. */
const program = `
  import { filter, tap } from 'rxjs';
  import { leased$ } from '${new URL('../../src/rx/index.ts', import.meta.url).href}';
  import { link, TestLoop } from '${new URL('../../src/testing/index.ts', import.meta.url).href}';

  process.on('warning', ({ name, code, message, detail }) => console.log(JSON.stringify({ name, code, message, detail })));
  const loop = new TestLoop();
  const [bev, peer] = link(loop).ends;
  function subscribeHere() {
    const released = (lease) => lease.bytes[0] !== 0x72 || lease.release();
    return leased$(bev, { bytesMax: 4 }).pipe(tap(released), filter(() => false)).subscribe();
  }
  const subscription = subscribeHere();
  peer.write('lostrelelost');
  loop.settle();
  for (let round = 0; round < 20; round += 1) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  console.log('id', bev.id);
  subscription.unsubscribe();
`;

function warnings(debug: string): {
  id: string;
  warned: { name: string; code: string; message: string; detail: string }[];
} {
  const args = ['--expose-gc', '--conditions=@sluice/source', '--input-type=module', '--eval', program];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { ...process.env, SLUICE_DEBUG: debug },
    encoding: 'utf8',
  });
  expect(status, stderr).to.equal(0);
  const lines = stdout.trim().split('\n');
  const id = lines.find((line) => line.startsWith('id '))?.slice(3) ?? '';
  return { id, warned: lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)) };
}

describe('LeaseLeaks', () => {
  it('names the connection and the call whose leases were dropped, once, with SLUICE_DEBUG', () => {
    const { id, warned } = warnings('1');
    expect(warned.length).to.equal(1);
    expect(warned[0]).to.include({ name: 'SluiceWarning', code: 'SLUICE_CORE_LEASE_LEAKED' });
    expect(warned[0]?.message).to.contain(`a lease of 4 bytes from link connection ${id}`);
    expect(warned[0]?.detail).to.contain('subscribeHere');
  });

  it('watches nothing without', () => {
    expect(warnings('').warned).to.deep.equal([]);
  });
});
