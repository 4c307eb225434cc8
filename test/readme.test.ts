import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { fencedBlocks } from './support/documents.ts';
import { Program, repositoryRoot } from './support/program.ts';

/** "A server in twenty lines" is what the README is for. */
const SERVER_LINES_MAX = 20;

describe("the README's chat room", () => {
  const server = fencedBlocks('README.md').find(({ language }) => language === 'ts');
  let directory: string;
  let room: Program;
  let port: number;

  before(async () => {
    await mkdir(join(repositoryRoot, 'build'), { recursive: true });
    directory = await mkdtemp(join(repositoryRoot, 'build', 'readme-'));
    await writeFile(join(directory, 'chat.ts'), server?.text ?? '');
    room = Program.node(join(directory, 'chat.ts'), [], { env: { PORT: '0' } });
    port = Number((await room.line(/^telnet 127\.0\.0\.1 (\d+)$/))[1]);
  });

  after(async () => {
    await room[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  it(`has at most ${SERVER_LINES_MAX} lines`, () => {
    expect(server?.text.trimEnd().split('\n').length).to.be.within(1, SERVER_LINES_MAX);
  });

  it('gives what one member says to the others, and outlives members of every kind', async () => {
    const [first, second, rude, endless] = await Promise.all([1, 2, 3, 4].map(() => member(port)));
    if (!first || !second || !rude || !endless) throw new Error('four members were asked for');
    first.write('hello\r\n');
    expect(await heard(second, '\n')).to.match(/^\d+: hello\n$/);

    rude.resetAndDestroy();
    await room.line(/^reset SLUICE_SYSTEM_ECONNRESET remote$/);
    endless.write('x'.repeat(2000));
    await room.line(/^failed SLUICE_CORE_LINE_TOO_LONG remote$/);
    second.end('bye\n');
    expect(await heard(first, '\n')).to.match(/^\d+: bye\n$/);
    await room.line(/^end null null$/);
    first.destroy();
  });
});

async function member(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // Some are thrown out of the room.
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** What arrives until it ends with `end`. */
async function heard(socket: Socket, end: string): Promise<string> {
  let text = '';
  while (!text.endsWith(end)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    text += chunk.toString();
  }
  return text;
}
