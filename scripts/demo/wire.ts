/** A connection of text lines, whichever program or library carries it. */
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex, Readable, Writable } from 'node:stream';
import type { BufferEvent } from '@sluice/core';

/** What the demo's clients have in common. */
export interface Wire {
  /** Sends a line. */
  send(line: string): void;
  /** The next line that comes; rejects when the connection ends without one. */
  line(): Promise<string>;
  /** Ends the connection and resolves when it is gone. */
  end(): Promise<void>;
}

/** Sluice's own. */
export function sluiceWire(bev: BufferEvent): Wire {
  const lines = new Lines();
  bev.on('data', () => {
    for (let line; (line = bev.input.readLineString()) !== undefined; ) lines.add(line);
  });
  bev.on('closed', (report) => lines.stop(report.error ?? new Error('the server ended the connection')));
  return {
    send: (line) => void bev.write(`${line}\r\n`),
    line: () => lines.next(),
    end: async () => void (await bev.close()),
  };
}

/** A stream of Node's: a `net.Socket` or a `tls.TLSSocket`. */
export function streamWire(stream: Duplex): Wire {
  const lines = readLines(stream);
  stream.once('error', (error) => lines.stop(error));
  return {
    send: (line) => void stream.write(`${line}\r\n`),
    line: () => lines.next(),
    async end() {
      stream.end();
      if (!stream.closed) await once(stream, 'close');
    },
  };
}

/** A program that sends what it reads and prints what it gets, as `openssl s_client -quiet` does. */
export function programWire(program: ChildProcessByStdio<Writable, Readable, null>): Wire {
  const lines = readLines(program.stdout);
  program.once('error', (error) => lines.stop(error));
  return {
    send: (line) => void program.stdin.write(`${line}\r\n`),
    line: () => lines.next(),
    async end() {
      const ended = once(program, 'close');
      // It would wait for the server's end, whatever it reads.
      program.stdin.end('quit\r\n');
      await ended;
    },
  };
}

function readLines(stream: Readable): Lines {
  const lines = new Lines();
  let rest = '';
  stream.setEncoding('latin1');
  stream.on('data', (text: string) => {
    const parts = (rest + text).split('\r\n');
    rest = parts.pop() ?? '';
    for (const line of parts) lines.add(line);
  });
  stream.once('close', () => lines.stop(new Error('the server ended the connection')));
  return lines;
}

/** Lines that came and nobody asked for yet, or the other way round. */
class Lines {
  readonly #come: string[] = [];
  readonly #asked: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  #stopped: Error | undefined;

  add(line: string): void {
    const first = this.#asked.shift();
    if (first === undefined) this.#come.push(line);
    else first.resolve(line);
  }

  stop(error: Error): void {
    this.#stopped ??= error;
    for (const { reject } of this.#asked.splice(0)) reject(this.#stopped);
  }

  next(): Promise<string> {
    const line = this.#come.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((resolve, reject) => void this.#asked.push({ resolve, reject }));
  }
}
