import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { SluiceError, UnsupportedError } from '@sluice/errors';
import { expect } from 'chai';
import { native } from '../src/index.ts';
import { binaryPaths, describeRuntime, load, type Runtime, refuseBinary, refuseRuntime } from '../src/load.ts';

const good: Runtime = {
  platform: 'linux',
  arch: 'x64',
  musl: false,
  versions: { node: '24.5.0', uv: '1.51.0', openssl: '3.5.1' },
  sharedOpenssl: false,
  boringssl: false,
};

/** The good runtime with other versions. */
function withVersions(versions: Runtime['versions']): Runtime {
  return { ...good, versions: { ...good.versions, ...versions } };
}

describe('load: which runtime', () => {
  it('takes every Node that bundles OpenSSL 3.5', () => {
    for (const node of ['22.20.0', '22.23.3', '24.5.0', '24.21.0', '25.0.0', '26.10.0', '27.0.0-nightly']) {
      expect(refuseRuntime(withVersions({ node })), node).to.equal(undefined);
    }
    expect(refuseRuntime(describeRuntime())).to.equal(undefined);
  });

  it('refuses older ones, naming their OpenSSL and the way out', () => {
    for (const node of ['18.20.0', '20.20.2', '22.19.0', '23.11.0', '24.0.0', '24.4.1', '', undefined]) {
      const refusal = refuseRuntime(withVersions({ node, openssl: '3.0.17' }));
      expect(refusal?.reason, node).to.include('OpenSSL 3.0.17, and 3.5 or later is needed');
      expect(refusal?.advice).to.include('22.20');
    }
  });

  it('refuses other runtimes and other builds, each by name', () => {
    const cases: [RegExp, Runtime][] = [
      [/^Bun 1\.3/, withVersions({ bun: '1.3.0' })],
      [/^Deno 2\.5/, withVersions({ deno: '2.5.0' })],
      [/^Electron 40.* BoringSSL/, withVersions({ electron: '40.0.0' })],
      [/BoringSSL/, { ...good, boringssl: true }],
      [/built against the system's OpenSSL/, { ...good, sharedOpenssl: true }],
      [/libuv of this Node is 2\.0\.0/, withVersions({ uv: '2.0.0' })],
      [/libuv of this Node is absent/, withVersions({ uv: undefined })],
    ];
    for (const [reason, runtime] of cases) {
      expect(refuseRuntime(runtime)?.reason).to.match(reason);
      expect(() => load(runtime))
        .to.throw(UnsupportedError)
        .that.includes({ code: 'SLUICE_NATIVE_UNSUPPORTED_RUNTIME', blame: 'local', remedy: 'fix', layer: 'native' });
    }
  });

  it('refuses a binary made for another OpenSSL or libuv', () => {
    const { versions } = native();
    expect(refuseBinary(versions)).to.equal(undefined);
    expect(refuseBinary({ ...versions, openssl: 0x40000000, opensslText: 'OpenSSL 4.0.0' })?.reason).to.equal(
      'the addon was compiled for OpenSSL 3 and this Node brings OpenSSL 4.0.0',
    );
    expect(refuseBinary({ ...versions, uv: 2 << 16 })?.reason).to.include('libuv');
  });
});

describe('load: which file', () => {
  it("prefers the repository's build, then the platform's prebuilt binary", () => {
    expect(binaryPaths(good, '/p', undefined)).to.deep.equal([
      join('/p', 'src/build/Release/sluice.node'),
      join('/p', 'prebuilds/linux-x64.node'),
    ]);
    expect(binaryPaths({ ...good, musl: true }, '/p', '')[1]).to.equal(join('/p', 'prebuilds/linux-x64-musl.node'));
    const mac = { ...good, platform: 'darwin', arch: 'arm64' };
    expect(binaryPaths(mac, '/p', undefined)[1]).to.equal(join('/p', 'prebuilds/darwin-arm64.node'));
  });

  it('takes nothing but SLUICE_NATIVE_PATH when that is set', () => {
    expect(binaryPaths(good, '/p', '/elsewhere/sluice.node')).to.deep.equal(['/elsewhere/sluice.node']);
  });

  it('is loaded once', () => {
    expect(native()).to.equal(native());
  });

  it('says what is missing, and where it looked', () => {
    const { code, message } = loadInChild('/nowhere/sluice.node');
    expect(code).to.equal('SLUICE_NATIVE_MISSING');
    expect(message).to.include('/nowhere/sluice.node').and.include('npm run build:native');
  });

  it('says why a file cannot be loaded', () => {
    const path = fileURLToPath(import.meta.url);
    const { code, message } = loadInChild(path);
    expect(code).to.equal('SLUICE_NATIVE_UNSUPPORTED_RUNTIME');
    expect(message).to.include(path);
  });

  it('fails with errors of the common kind', () => {
    expect(() => load({ ...good, sharedOpenssl: true })).to.throw(SluiceError);
  });
});

/** What `native()` throws in a process with another SLUICE_NATIVE_PATH. */
function loadInChild(path: string): { code: string; message: string } {
  const script = `
    import { native } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
    try { native(); } catch ({ code, message }) { console.log(JSON.stringify({ code, message })); }
  `;
  const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, '--input-type=module', '-e', script], {
    env: { ...process.env, SLUICE_NATIVE_PATH: path },
    encoding: 'utf8',
  });
  expect(stderr).to.not.include('Error');
  return JSON.parse(stdout) as { code: string; message: string };
}
