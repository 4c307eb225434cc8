/**
 * The native half of Sluice. Private to `@sluice/*`; see README.md.
 */
import type { NativeBinding } from './binding.ts';
import { load } from './load.ts';

export * from './binding.ts';

let binding: NativeBinding | undefined;

/**
 * The addon, loaded on first use.
 *
 * @throws UnsupportedError with code `SLUICE_NATIVE_UNSUPPORTED_RUNTIME` or `SLUICE_NATIVE_MISSING`; its message names
 *   the reason and the remedy
 */
export function native(): NativeBinding {
  binding ??= load();
  return binding;
}
