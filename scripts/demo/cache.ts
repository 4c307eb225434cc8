/** The two commands of memcached's protocol that the demo needs. */
import type { Wire } from './wire.ts';

/** Stores a value under a key; for ever, or until memory is short. */
export async function store(wire: Wire, key: string, value: string): Promise<void> {
  wire.send(`set ${key} 0 0 ${Buffer.byteLength(value)}`);
  wire.send(value);
  expectLine(await wire.line(), 'STORED');
}

/** Reads the value back; it has to be there. */
export async function read(wire: Wire, key: string): Promise<string> {
  wire.send(`get ${key}`);
  const header = await wire.line();
  if (!header.startsWith(`VALUE ${key} `)) throw new Error(`get ${key} was answered by: ${header}`);
  const value = await wire.line();
  expectLine(await wire.line(), 'END');
  return value;
}

function expectLine(line: string, expected: string): void {
  if (line !== expected) throw new Error(`expected ${expected} from the server, and got: ${line}`);
}
