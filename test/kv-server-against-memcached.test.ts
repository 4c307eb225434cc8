import { expect } from 'chai';
import { createKvServer } from '../examples/kv-server/server.ts';
import { Random } from '../packages/core/test/support/random.ts';
import { type Memcached, startMemcached } from './support/memcached.ts';
import { RawClient } from './support/raw-client.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

/**
 * What is known to differ, and is kept out of the scripts:
 * - the version, the values of stats, the numbers of cas uniques (replaced by CAS before comparing);
 * - a get refused for a long key takes back memcached's answers to earlier commands that it had not sent yet;
 * - incr and decr pad to the old length, unless memcached holds the old value elsewhere: for an answer it has not sent
 *   yet (pipelined after a get), or for its threads (switched off here by no_modern);
 * - incr of a value that is all white space: memcached looks for the number in the memory behind it;
 * - values within 300 bytes of 1 MiB, numbers of more than 1024 digits, meta commands, delayed flush_all.
 */
const KEYS = ['a', 'b', 'c', 'key', 'k'.repeat(250), 'k\xff\x01\t', 'noreply', '0'];
const SENTINEL = 'version\r\n';
const SENTINEL_ANSWER = /(?:^|\r\n)VERSION [^\r\n]*\r\n$/;

describe('kv-server against memcached', function () {
  this.timeout(60_000);
  let memcached: Memcached;
  let kv: ReturnType<typeof createKvServer>;
  let ports: [theirs: number, ours: number];

  before(async () => {
    memcached = await startMemcached();
    kv = createKvServer({ memoryLimitBytes: 256 * 1024 * 1024 });
    const listener = await kv.server.listen({ port: 0, host: '127.0.0.1' });
    ports = [memcached.port, listener.address.port];
  });

  after(async () => {
    await kv.server.close();
    await memcached[Symbol.asyncDispose]();
  });

  beforeEach(() => both((client) => ask(client, 'flush_all\r\n')));

  async function both<T>(use: (client: RawClient, index: 0 | 1) => Promise<T>): Promise<[T, T]> {
    const theirs = untilTestEnds(await RawClient.connect({ host: '127.0.0.1', port: ports[0] }));
    const ours = untilTestEnds(await RawClient.connect({ host: '127.0.0.1', port: ports[1] }));
    return await Promise.all([use(theirs, 0), use(ours, 1)]);
  }

  it('answers 2,000 random commands, one at a time, in the same bytes', async () => {
    const random = seeded('kv-server one at a time');
    const script = Array.from({ length: 2_000 }, () => randomCommand(random, true));
    const [theirs, ours] = await both(async (client) => {
      const uniques = new Map<string, string>();
      const answers: string[] = [];
      for (const command of script) {
        const answer = await ask(
          client,
          command.replace(/CAS<(.*)>/s, (_, key: string) => uniques.get(key) ?? '999999999'),
        );
        for (const [, key, unique] of answer.matchAll(/^VALUE ([^ \r\n]+) \d+ \d+ (\d+)\r$/gm)) {
          uniques.set(key as string, unique as string);
        }
        answers.push(withoutUniques(answer));
      }
      return answers;
    });
    compare(script, theirs, ours);
    expect(new Set(ours.map((answer) => answer.slice(0, 12))).size, 'kinds of answers seen').to.be.above(15);
  });

  it('answers pipelined random commands in the same bytes', async () => {
    const random = seeded('kv-server pipelined');
    const script = Array.from({ length: 60 }, () =>
      Array.from({ length: 1 + random.below(60) }, () => randomCommand(random, false)).join(''),
    );
    const [theirs, ours] = await both(async (client) => {
      const answers: string[] = [];
      for (const commands of script) answers.push(withoutUniques(await ask(client, commands)));
      return answers;
    });
    compare(script, theirs, ours);
  });

  it('answers broken commands in the same bytes', async () => {
    const random = seeded('kv-server broken');
    const script = Array.from({ length: 600 }, () => broken(random, randomLine(random)));
    const [theirs, ours] = await both(async (_, index) => {
      const answers: string[] = [];
      for (const text of script) {
        const client = untilTestEnds(await RawClient.connect({ host: '127.0.0.1', port: ports[index] }));
        answers.push(withoutUniques(await client.exchange(text)));
      }
      return answers;
    });
    compare(script, theirs, ours);
  });

  const byHand = [
    '\r\n',
    '\n',
    ' \r\n',
    'a\r\n',
    'get\r\n',
    'gat 10\r\n',
    'gat x k\r\n',
    'gats\r\n',
    'stats nothing\r\n',
    'stats reset\r\n',
    'verbosity\r\n',
    'verbosity 1 2 3\r\n',
    'verbosity noreply\r\nget a\r\n',
    'quit now\r\n',
    'set a 0 0 3\r\nabcdefgh\r\nget a\r\n',
    'set a 0 0 4294967297\r\nx\r\nget a\r\n',
    'set a 4294967296 0 1\r\nx\r\nget a\r\n',
    'set a 0 0 -1\r\n',
    'set a 0 0 1 noreply\r\nxyz\r\n',
    'set a 0 0 1\0 0\r\nx\r\nget a\0b\r\n',
    'GET / HTTP/1.1\r\n',
    'delete a 5\r\n',
    'delete a 5 noreply\r\n',
    'delete a b c d\r\n',
    'flush_all x\r\n',
    'flush_all x noreply\r\n',
    `set a 0 0 2000000\r\n${'x'.repeat(2_000_000)}\r\nget a\r\n`,
    `${'x'.repeat(2048)}\n`,
    'x'.repeat(2049),
    `${'y'.repeat(3000)}\r\nget a\r\n`,
    `get ${'k'.repeat(251)}\r\n`,
    `get a ${'b '.repeat(5_000)}\r\n`,
    'set n 0 0 20\r\n18446744073709551615\r\nincr n 2\r\n',
    'set n 0 0 5\r\n10 ab\r\ndecr n 9\r\n',
    'incr n -1\r\n',
    'cas a 0 0 1 0\r\nx\r\n',
    'cas a 0 0 1 18446744073709551616\r\nx\r\n',
    'touch a 9999999999\r\nget a\r\n',
  ];
  for (const text of byHand) {
    it(`answers ${JSON.stringify(text.length > 50 ? `${text.slice(0, 50)}...` : text)} in the same bytes`, async () => {
      const [theirs, ours] = await both(async (client) => {
        await ask(client, 'set a 3 0 2\r\nvv\r\n');
        return client.exchange(text);
      });
      expect(ours).to.equal(theirs);
    });
  }
});

/** Randomness that can be had again: run with the SEED it prints. */
function seeded(what: string): Random {
  const random = new Random();
  console.log(`      ${what}: SEED=${random.seed}`);
  return random;
}

function randomText(random: Random, length: number, alphabet: string): string {
  let text = '';
  while (text.length < length) text += alphabet[random.below(alphabet.length)];
  return text;
}

async function ask(client: RawClient, command: string): Promise<string> {
  client.send(command + SENTINEL);
  const answer = await client.until(SENTINEL_ANSWER);
  return answer.slice(0, answer.lastIndexOf('VERSION '));
}

function withoutUniques(answer: string): string {
  return answer.replace(/^(VALUE [^ \r\n]+ \d+ \d+) \d+\r$/gm, '$1 CAS\r');
}

function compare(script: string[], theirs: string[], ours: string[]): void {
  for (const [index, command] of script.entries()) {
    if (ours[index] === theirs[index]) continue;
    const context = script.slice(Math.max(0, index - 5), index).map((text) => JSON.stringify(text.slice(0, 200)));
    expect(
      ours[index],
      `command ${index}: ${JSON.stringify(command.slice(0, 400))} after ${context.join(', ')}`,
    ).to.equal(theirs[index]);
  }
}

const EXPIRIES = ['0', '0', '0', '0', '5000', '-1', '2592000', '1000000000', '4000000000', '+7000'];
const FLAGS = ['0', '0', '5', '4294967295', '4294967296', '-1', 'x'];
const DELTAS = ['0', '1', '7', '99', '18446744073709551615', '18446744073709551616', '-1', 'x', '1x', '007'];
const NUMBERS = [
  '0',
  '5',
  '10',
  '99',
  '100',
  '18446744073709551615',
  ' 12',
  '7 ',
  '3 x',
  '-5',
  '',
  'abc',
  '000000000000000000000000000009',
];

/** One valid or nearly valid command with its data. `alone`: it is not pipelined behind others. */
function randomCommand(random: Random, alone: boolean): string {
  const key = random.pick(KEYS);
  const noreply = random.below(8) === 0 ? ' noreply' : '';
  const kind = random.below(alone ? 16 : 13);
  switch (kind) {
    case 0:
    case 1:
    case 2: {
      const separator = random.below(5) === 0 ? '  ' : ' ';
      const keys = Array.from({ length: 1 + random.below(kind === 0 ? 40 : 3) }, () => random.pick(KEYS));
      if (random.below(4) > 0) return `${random.pick(['get', 'gets'])} ${keys.join(separator)}\r\n`;
      // More than 2048 bytes of this that have not ended yet when they are looked at close the connection.
      return `${random.pick(['gat', 'gats'])} ${random.pick(EXPIRIES)} ${keys.slice(0, 6).join(separator)}\r\n`;
    }
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8: {
      const mode = random.pick(['set', 'set', 'set', 'add', 'replace', 'append', 'prepend', 'cas']);
      const value = randomValue(random);
      const cas = mode === 'cas' ? ` ${alone ? `CAS<${key}>` : '999999999'}` : '';
      const wrongLength = value.length > 0 && value.length < 5000 && random.below(20) === 0 ? 1 : 0;
      const head = `${mode} ${key} ${random.pick(FLAGS)} ${random.pick(EXPIRIES)} ${value.length - wrongLength}${cas}${noreply}`;
      return `${head}\r\n${value}\r\n`;
    }
    case 9:
      return `delete ${key}${random.below(4) === 0 ? ' 0' : ''}${noreply}\r\n`;
    case 10:
      return `touch ${key} ${random.pick(EXPIRIES)}${noreply}\r\n`;
    case 11:
      return random.below(6) === 0 ? `flush_all${random.pick(['', ' 0', ' -1'])}${noreply}\r\n` : `get ${key}\r\n`;
    case 12:
      return random.pick([
        'verbosity 0\r\n',
        'verbosity 0 noreply\r\n',
        'nonsense\r\n',
        '\r\n',
        'get\r\n',
        'set a\r\n',
        'stats reset\r\n',
      ]);
    case 13: {
      const number = random.pick(NUMBERS);
      return `set ${key} 0 0 ${number.length}\r\n${number}\r\n`;
    }
    case 14:
      return `${random.pick(['incr', 'decr'])} ${key} ${random.pick(DELTAS)}${noreply}\r\n`;
    default:
      return random.below(4) === 0
        ? `${random.pick(['get', 'set', 'touch', 'delete', 'incr'])} ${'k'.repeat(251)} 0 0 1\r\n`
        : `incr ${key} ${random.pick(DELTAS)}\r\n`;
  }
}

function randomValue(random: Random): string {
  const size = random.pick([0, 1, 2, 20, 20, 20, 100, 1023, 1024, 1025, 5_000, 70_000, 300_000, 1_200_000]);
  if (size > 2_000 && random.below(10) > 0) return 'v'.repeat(random.below(50));
  return randomText(random, size, size < 20 ? 'abc' : 'abcdefghij \r\n\t\0\xff');
}

/** A line whose meaning changes little, or not in time, when characters are lost. */
function randomLine(random: Random): string {
  const key = random.pick(KEYS);
  const expiry = random.pick(['0', '5000', '-1']);
  return random.pick([
    `get ${key} ${random.pick(KEYS)}\r\n`,
    `gat ${expiry} ${key}\r\n`,
    `set ${key} 5 ${expiry} 3\r\nabc\r\n`,
    `set ${key} 0 0 2 noreply\r\n10\r\n`,
    `append ${key} 0 0 1\r\nz\r\n`,
    `cas ${key} 0 0 1 999999999\r\nx\r\n`,
    `incr ${key} 10\r\n`,
    `decr ${key} 1 noreply\r\n`,
    `delete ${key} 0\r\n`,
    `touch ${key} ${expiry}\r\n`,
    'verbosity 0\r\n',
  ]);
}

/** Characters lost, doubled or put in, a few of them; then more commands, which may be taken for data. */
function broken(random: Random, line: string): string {
  let text = line;
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const at = random.below(text.length + 1);
    const put = random.pick([
      '',
      '',
      ' ',
      '  ',
      '0',
      '-',
      '+',
      'x',
      '\t',
      '\r',
      '\n',
      '\0',
      '\r\n',
      ' noreply',
      '\x7f',
    ]);
    text = text.slice(0, at) + put + text.slice(at + random.below(2));
  }
  return `${text}get a b\r\n${random.below(2) === 0 ? '' : `set a 0 0 1\r\n1\r\nget ${random.pick(KEYS)}\r\n`}`;
}
