/**
 * Checked by the compiler, never run: no public API of any package answers an Observable of bytes. Nothing in rxjs holds
 * back a source, so a stream of bare bytes would be a queue without a bound; `@sluice/core/rx` lends them instead.
 *
 * `Offenders<Module>` names every exported function, and every member of an exported class or object, whose value is such
 * an observable, or a function that answers one, however deep within `Depth` steps.
 */
import type * as core from '@sluice/core';
import type * as rx from '@sluice/core/rx';
import type * as testing from '@sluice/core/testing';
import type * as errors from '@sluice/errors';
import type * as tls from '@sluice/tls';
import type { Observable } from 'rxjs';

type Bytes = ArrayBufferView | ArrayBufferLike;
type IsAny<T> = 0 extends 1 & T ? true : false;
type IsNever<T> = [T] extends [never] ? true : false;

/** Whether a value of this type is bytes, or may be: bytes in a union, in a list, or `any`. */
type HoldsBytes<T> =
  IsAny<T> extends true
    ? true
    : IsNever<Extract<T, Bytes>> extends false
      ? true
      : T extends readonly (infer Item)[]
        ? IsNever<Extract<Item, Bytes>> extends false
          ? true
          : never
        : never;

/** Never, unless the type is an observable of bytes. */
type Carries<T> =
  IsAny<T> extends true
    ? never
    : T extends Observable<infer Value>
      ? IsNever<HoldsBytes<Value>> extends true
        ? never
        : true
      : never;

/** What a call answers. A class's instances are looked at through its `prototype`. */
type Answer<T> = T extends (...args: never) => infer Result ? Awaited<Result> : never;

/** How deep: a module's member, what a call of it answers, and so on. */
type Depth = [4, 3, 2, 1, 0];
type Less<Steps extends readonly unknown[]> = Steps extends readonly [unknown, ...infer Rest] ? Rest : [];

/** The paths at which observables of bytes are. Our own types are looked into; those of others and of values are not. */
type Paths<T, Path extends string, Steps extends readonly unknown[]> = Steps extends readonly []
  ? never
  : IsAny<T> extends true
    ? never
    : IsNever<Carries<T>> extends false
      ? Path
      : T extends Observable<unknown> | Bytes | Promise<unknown> | string | number | boolean | null | undefined
        ? never
        :
            | (IsNever<Answer<T>> extends true ? never : Paths<Answer<T>, `${Path}()`, Less<Steps>>)
            | { [Key in keyof T & string]: Paths<T[Key], `${Path}.${Key}`, Less<Steps>> }[keyof T & string];

type Offenders<Module> = { [Name in keyof Module & string]: Paths<Module[Name], Name, Depth> }[keyof Module & string];

// What it must find, or it would find nothing anywhere.

declare class Stream {
  readonly bytes$: Observable<Uint8Array>;
  readonly text$: Observable<string>;
  chunks(): Observable<string | Buffer>;
  later(): Promise<Observable<ArrayBuffer>>;
}

interface Caught {
  direct: () => Observable<Uint8Array>;
  wide: (from: string) => Observable<Buffer | undefined>;
  listed: () => Observable<Uint8Array[]>;
  anything: () => Observable<any>; // oxlint-disable-line typescript/no-explicit-any
  operator: () => (source: Observable<string>) => Observable<Uint8Array>;
  constant$: Observable<DataView>;
  Stream: typeof Stream;
}

interface Fine {
  operator: () => (source: Observable<Uint8Array>) => Observable<number>;
  counts$: Observable<number>;
  lent: () => Observable<rx.Lease<Buffer>>;
  bytes: () => Uint8Array;
  generic: <R>(work: (bytes: Buffer) => R) => Observable<R>;
}

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

export const caught: Same<
  Offenders<Caught>,
  | 'direct()'
  | 'wide()'
  | 'listed()'
  | 'anything()'
  | 'operator()()'
  | 'constant$'
  | 'Stream.prototype.bytes$'
  | 'Stream.prototype.chunks()'
  | 'Stream.prototype.later()'
> = true;
export const fine: Same<Offenders<Fine>, never> = true;

// What it must not find.

export const inCore: Same<Offenders<typeof core>, never> = true;
export const inRx: Same<Offenders<typeof rx>, never> = true;
export const inTesting: Same<Offenders<typeof testing>, never> = true;
export const inErrors: Same<Offenders<typeof errors>, never> = true;
export const inTls: Same<Offenders<typeof tls>, never> = true;
