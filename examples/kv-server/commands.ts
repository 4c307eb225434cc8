import { KEY_BYTES_MAX, type Store, type StoreMode } from './store.ts';
import { parseInt32, parseUint32, parseUint64, tokenize, wordEnd, wordStart } from './tokens.ts';

/** The version in the answer to `version` and `stats`: the memcached whose answers these are, then our own name. */
export const VERSION = '1.6.18-sluice';

/** What a command that brings a value does once the value is here. */
export interface Update {
  readonly mode: StoreMode;
  readonly key: string;
  readonly flags: number;
  readonly expiresAt: number;
  readonly casUnique: number;
  /** Without the line end after it. */
  readonly valueBytes: number;
}

/** What a command that fetches values asks for: the keys in `line` from `at` on. */
export interface Fetch {
  readonly line: string;
  readonly at: number;
  readonly withCas: boolean;
  /** Touch each item so; undefined to leave it. */
  readonly expiresAt: number | undefined;
}

/** What commands need of the connection that they came over. */
export interface CommandHost {
  readonly store: Store;
  /** Keeps `reply` silent until the next command. */
  noreply: boolean;
  /** Sends a line; the line end is added. */
  reply(line: string): void;
  /** Takes the next bytes as the update's value, in memory that was set aside for it. */
  receive(update: Update, reservedBytes: number): void;
  /** Drops the next bytes. */
  skip(bytes: number): void;
  /** Sends the values, as far and as fast as the peer takes them, and the END. */
  send(fetch: Fetch): void;
  /** Lines of `stats` ('') or a part of it, without the END; undefined when there is no such part. */
  stats(part: string): string | undefined;
  /** Sends what is waiting and closes. */
  quit(): void;
}

const BAD_FORMAT = 'CLIENT_ERROR bad command line format';
const BAD_EXPTIME = 'CLIENT_ERROR invalid exptime argument';

/** Executes one line, which came without its line end. */
export function executeLine(host: CommandHost, line: string): void {
  host.noreply = false;
  const nul = line.indexOf('\0');
  const text = nul < 0 ? line : line.slice(0, nul);
  const start = wordStart(text, 0);
  const end = wordEnd(text, start);
  const name = text.slice(start, end);
  const fetch = fetches.get(name);
  if (fetch !== undefined) {
    executeFetch(host, text, end, fetch.withCas, fetch.touch);
    return;
  }
  const tokens = tokenize(text);
  const command = commands.get(name);
  if (command !== undefined && tokens.length >= command.wordsMin && tokens.length <= command.wordsMax) {
    command.run(host, tokens);
  } else if (command === undefined && tokens.at(-1)?.startsWith('HTTP/') === true) {
    host.quit();
  } else {
    host.reply('ERROR');
  }
}

interface Command {
  /** How many words the line may have, the command's name included; anything else is answered by ERROR. */
  wordsMin: number;
  wordsMax: number;
  run(host: CommandHost, tokens: string[]): void;
}

const fetches = new Map([
  ['get', { withCas: false, touch: false }],
  ['gets', { withCas: true, touch: false }],
  ['gat', { withCas: false, touch: true }],
  ['gats', { withCas: true, touch: true }],
]);

const commands = new Map<string, Command>([
  ['set', { wordsMin: 5, wordsMax: 6, run: (host, tokens) => executeUpdate(host, tokens, 'set') }],
  ['add', { wordsMin: 5, wordsMax: 6, run: (host, tokens) => executeUpdate(host, tokens, 'add') }],
  ['replace', { wordsMin: 5, wordsMax: 6, run: (host, tokens) => executeUpdate(host, tokens, 'replace') }],
  ['append', { wordsMin: 5, wordsMax: 6, run: (host, tokens) => executeUpdate(host, tokens, 'append') }],
  ['prepend', { wordsMin: 5, wordsMax: 6, run: (host, tokens) => executeUpdate(host, tokens, 'prepend') }],
  ['cas', { wordsMin: 6, wordsMax: 7, run: (host, tokens) => executeUpdate(host, tokens, 'cas') }],
  ['incr', { wordsMin: 3, wordsMax: 4, run: (host, tokens) => executeCount(host, tokens, 'incr') }],
  ['decr', { wordsMin: 3, wordsMax: 4, run: (host, tokens) => executeCount(host, tokens, 'decr') }],
  ['delete', { wordsMin: 2, wordsMax: 4, run: executeDelete }],
  ['touch', { wordsMin: 3, wordsMax: 4, run: executeTouch }],
  ['flush_all', { wordsMin: 1, wordsMax: 3, run: executeFlush }],
  ['verbosity', { wordsMin: 2, wordsMax: 3, run: executeVerbosity }],
  ['stats', { wordsMin: 1, wordsMax: Number.POSITIVE_INFINITY, run: executeStats }],
  ['version', { wordsMin: 1, wordsMax: Number.POSITIVE_INFINITY, run: (host) => host.reply(`VERSION ${VERSION}`) }],
  ['quit', { wordsMin: 1, wordsMax: Number.POSITIVE_INFINITY, run: (host) => host.quit() }],
]);

/** All keys are checked before anything is sent: one that is too long turns the whole answer into an error. */
function executeFetch(host: CommandHost, line: string, from: number, withCas: boolean, touch: boolean): void {
  let at = wordStart(line, from);
  if (at === line.length) {
    host.reply('ERROR');
    return;
  }
  let expiresAt: number | undefined;
  if (touch) {
    const end = wordEnd(line, at);
    const seconds = parseInt32(line.slice(at, end));
    if (seconds === undefined) {
      host.reply(BAD_EXPTIME);
      return;
    }
    expiresAt = host.store.expiry(seconds);
    at = wordStart(line, end);
  }
  for (let start = at; start < line.length; ) {
    const end = wordEnd(line, start);
    if (end - start > KEY_BYTES_MAX) {
      host.reply(BAD_FORMAT);
      return;
    }
    start = wordStart(line, end);
  }
  host.send({ line, at, withCas, expiresAt });
}

function executeUpdate(host: CommandHost, tokens: string[], mode: StoreMode): void {
  quietIfAsked(host, tokens);
  const key = tokens[1] as string;
  const flags = parseUint32(tokens[2] as string);
  const seconds = parseInt32(tokens[3] as string);
  const valueBytes = parseInt32(tokens[4] as string);
  const casUnique = mode === 'cas' ? parseUint64(tokens[5] as string) : 0n;
  if (
    key.length > KEY_BYTES_MAX ||
    flags === undefined ||
    seconds === undefined ||
    valueBytes === undefined ||
    valueBytes < 0 ||
    valueBytes > 0x7fff_fffd ||
    casUnique === undefined
  ) {
    host.reply(BAD_FORMAT);
    return;
  }
  const reserved = host.store.reserve(key, valueBytes);
  if (typeof reserved === 'number') {
    const expiresAt = host.store.expiry(seconds);
    host.receive({ mode, key, flags, expiresAt, casUnique: Number(casUnique), valueBytes }, reserved);
    return;
  }
  host.reply(
    reserved === 'too-large' ? 'SERVER_ERROR object too large for cache' : 'SERVER_ERROR out of memory storing object',
  );
  host.skip(valueBytes + 2);
  if (mode === 'set') host.store.drop(key);
}

function executeCount(host: CommandHost, tokens: string[], direction: 'incr' | 'decr'): void {
  quietIfAsked(host, tokens);
  const key = tokens[1] as string;
  const delta = parseUint64(tokens[2] as string);
  if (key.length > KEY_BYTES_MAX) host.reply(BAD_FORMAT);
  else if (delta === undefined) host.reply('CLIENT_ERROR invalid numeric delta argument');
  else {
    const result = host.store.count(key, direction, delta);
    if (result === undefined) host.reply('NOT_FOUND');
    else if (result === 'no-memory') host.reply('SERVER_ERROR out of memory');
    else if (result === 'non-numeric') {
      host.reply('CLIENT_ERROR cannot increment or decrement non-numeric value');
    } else host.reply(String(result));
  }
}

/** `delete key [0] [noreply]`: the 0 is what is left of a time that old clients sent. */
function executeDelete(host: CommandHost, tokens: string[]): void {
  const key = tokens[1] as string;
  if (tokens.length > 2) {
    const zero = tokens[2] === '0';
    const quiet = quietIfAsked(host, tokens);
    if (tokens.length === 3 ? !zero && !quiet : !zero || !quiet) {
      host.reply(`${BAD_FORMAT}.  Usage: delete <key> [noreply]`);
      return;
    }
  }
  if (key.length > KEY_BYTES_MAX) host.reply(BAD_FORMAT);
  else host.reply(host.store.delete(key) ? 'DELETED' : 'NOT_FOUND');
}

function executeTouch(host: CommandHost, tokens: string[]): void {
  quietIfAsked(host, tokens);
  const key = tokens[1] as string;
  const seconds = parseInt32(tokens[2] as string);
  if (key.length > KEY_BYTES_MAX) host.reply(BAD_FORMAT);
  else if (seconds === undefined) host.reply(BAD_EXPTIME);
  else host.reply(host.store.touch(key, host.store.expiry(seconds)) === undefined ? 'NOT_FOUND' : 'TOUCHED');
}

function executeFlush(host: CommandHost, tokens: string[]): void {
  const quiet = quietIfAsked(host, tokens);
  const seconds = tokens.length === (quiet ? 2 : 1) ? 0 : parseInt32(tokens[1] as string);
  if (seconds === undefined) {
    host.reply(BAD_EXPTIME);
    return;
  }
  host.store.flush(seconds);
  host.reply('OK');
}

/** There is no log to be more or less verbose; the level is checked and accepted. */
function executeVerbosity(host: CommandHost, tokens: string[]): void {
  quietIfAsked(host, tokens);
  host.reply(parseUint32(tokens[1] as string) === undefined ? BAD_FORMAT : 'OK');
}

function executeStats(host: CommandHost, tokens: string[]): void {
  const part = tokens[1] ?? '';
  if (part === 'reset') {
    host.store.resetCounters();
    host.reply('RESET');
    return;
  }
  const lines = host.stats(part);
  host.reply(lines === undefined ? 'ERROR' : `${lines}END`);
}

/** Whether the last word is `noreply`; from then on nothing is answered, errors included. */
function quietIfAsked(host: CommandHost, tokens: string[]): boolean {
  host.noreply = tokens.at(-1) === 'noreply';
  return host.noreply;
}
