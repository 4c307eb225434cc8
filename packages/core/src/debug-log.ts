import { debuglog } from 'node:util';
import type { SluiceError } from '@sluice/errors';
import type { Address } from '@sluice/native';
import type { BufferEvent } from './bufferevent.ts';
import type { CloseReport } from './close-report.ts';
import type { Listener } from './listener.ts';

type Write = (line: string) => void;

/**
 * What happens, as lines of text on stderr, with `NODE_DEBUG=sluice` in the environment: for a look at a program without
 * a change to it. The diagnostics channels tell the same to tools.
 */
export class DebugLog {
  readonly #write: Write;

  constructor(write: Write) {
    this.#write = write;
  }

  /** The process's own; undefined when nobody asked for it. The environment is read once, as Node does. */
  static ofProcess(section = 'sluice'): DebugLog | undefined {
    const log = debuglog(section);
    return log.enabled ? new DebugLog((line) => log('%s', line)) : undefined;
  }

  connectStart(bev: BufferEvent, to: { host?: string; port?: number; path?: string }): void {
    this.#write(`${nameOf(bev)} connects to ${to.path ?? `${to.host}:${to.port}`}`);
  }

  connectEnd(bev: BufferEvent, connected: boolean, error: SluiceError | undefined): void {
    if (connected) this.#write(`${nameOf(bev)} is connected from ${placeOf(bev.localAddress)}`);
    else this.#write(`${nameOf(bev)} is not connected: ${error?.message ?? 'given up here'}`);
  }

  accept(bev: BufferEvent, listener: Listener): void {
    this.#write(`${nameOf(bev)} accepted from ${placeOf(bev.remoteAddress)} at ${placeOf(listener.address)}`);
  }

  notTaken(listener: Listener, reason: string, address: Address | undefined): void {
    this.#write(`${placeOf(address)} is not taken at ${placeOf(listener.address)}: ${reason}`);
  }

  close(bev: BufferEvent, { end, code, blame, bytesIn, bytesOut, durationMs, error }: CloseReport): void {
    const why = error === undefined ? '' : `, ${code}, blame ${blame}: ${error.message}`;
    const counts = `${bytesIn} bytes in, ${bytesOut} out, ${Math.round(durationMs)} ms`;
    this.#write(`${nameOf(bev)} closed: ${end}, ${counts}${why}`);
  }

  pressure(bev: BufferEvent, direction: 'read' | 'write', level: 'high' | 'low', bytes: number): void {
    const buffer = direction === 'read' ? 'input' : 'output';
    this.#write(`${nameOf(bev)} ${buffer} ${level === 'high' ? 'is full' : 'has room again'}: ${bytes} bytes`);
  }

  limit(bev: BufferEvent, error: SluiceError): void {
    this.#write(`${nameOf(bev)} met a limit: ${error.message}`);
  }

  /** Anything else about a connection. */
  note(bev: BufferEvent, what: string): void {
    this.#write(`${nameOf(bev)} ${what}`);
  }
}

function nameOf({ transport, id }: BufferEvent): string {
  return `${transport} ${id}`;
}

function placeOf(address: Address | undefined): string {
  if (address === undefined) return 'an unknown peer';
  if (address.family === 'unix') return address.address === '' ? 'a Unix socket' : address.address;
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
