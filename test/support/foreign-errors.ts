/**
 * Somebody else's errors, put into the thread's OpenSSL queue and into the thread's error stack before every call that
 * any package makes into native code.
 */
import { ErrorStack } from '@sluice/errors';
import { native, type NativeBinding } from '@sluice/native';
import { nativeQueue } from '../../packages/native/test/support/native-queue.ts';

/** Stands in every foreign entry's data. */
export const FOREIGN = 'an error of somebody else';

/** What lies in the queue before each call. Named as in test titles. */
export const junk: Readonly<Record<string, () => void>> = {
  'a TLS error': () => raise(NO_SHARED_CIPHER),
  'an errno': () => raise(ECONNRESET),
  'an end of file': () => raise(UNEXPECTED_EOF),
  'a full ring': () => {
    for (let count = 0; count < 20; count++) raise(count % 2 === 0 ? NO_SHARED_CIPHER : MALLOC_FAILURE);
  },
  'a mark above an error': () => {
    raise(NO_SHARED_CIPHER);
    nativeQueue.setMark();
  },
};

const NO_SHARED_CIPHER = 0x0a0000c1;
const UNEXPECTED_EOF = 0x0a000126;
const ECONNRESET = 0x80000068;
const MALLOC_FAILURE = 0x1c0c0100;

/** Calls of native code that may leave something of OpenSSL's behind, and so take away all there is. */
const LEAVES_NOTHING: ReadonlySet<string> = new Set(['step', 'tlsContext', 'tlsEngine']);

export class ForeignErrors {
  /** How often each native function was called with foreign errors in the queue. */
  readonly calls: Map<string, number> = new Map();
  /** Functions that left something in the queue though they may not. */
  readonly leftovers: Set<string> = new Set();
  readonly #put: () => void;
  readonly #binding: NativeBinding = native();
  readonly #original: NativeBinding = { ...this.#binding };

  private constructor(put: () => void) {
    this.#put = put;
  }

  /** Runs something with foreign errors before each native call in it. */
  static async during<T>(put: () => void, run: () => Promise<T>): Promise<{ result: T; foreign: ForeignErrors }> {
    const foreign = new ForeignErrors(put);
    foreign.#wrap();
    try {
      return { result: await run(), foreign };
    } finally {
      Object.assign(foreign.#binding, foreign.#original);
      nativeQueue.clear();
      ErrorStack.current().clear();
    }
  }

  #wrap(): void {
    for (const [name, value] of Object.entries(this.#original)) {
      if (typeof value !== 'function') continue;
      // A class by its capital.
      const wrapped = /^[A-Z]/.test(name)
        ? new Proxy(value, {
            construct: (Class, args) =>
              this.#watched(Reflect.construct<unknown[], object>(Class as never, args as unknown[])),
          })
        : this.#before(name, value as Call, undefined);
      Object.assign(this.#binding, { [name]: wrapped });
    }
  }

  /** An object of native code's, each of whose methods is called with foreign errors in the queue. */
  #watched<T extends object>(object: T): T {
    // Plain values, and contexts, which only native code can open, are left as they are.
    const methodNames = Object.getOwnPropertyNames(Object.getPrototypeOf(object) ?? {});
    if (isPlain(object) || methodNames.length < 2) return object;
    const methods = new Map<PropertyKey, unknown>();
    return new Proxy(object, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (!methods.has(name)) methods.set(name, this.#before(String(name), value as Call, target));
        return methods.get(name);
      },
    });
  }

  #before(name: string, call: Call, self: unknown): Call {
    return (...args) => {
      this.#put();
      this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
      const result: unknown = Reflect.apply(call, self, args);
      if (LEAVES_NOTHING.has(name) && nativeQueue.peek() !== undefined) this.leftovers.add(name);
      return typeof result === 'object' && result !== null ? this.#watched(result) : result;
    };
  }
}

type Call = (...args: never[]) => unknown;

function isPlain(object: object): boolean {
  return [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(object)) || ArrayBuffer.isView(object);
}

function raise(code: number): void {
  nativeQueue.raise(code, 'elsewhere.c', 1, 'somebody_else', FOREIGN);
  ErrorStack.current().raise({ code, file: 'elsewhere.ts', line: 1, func: 'somebodyElse', data: FOREIGN });
}
