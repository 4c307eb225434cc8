import { misuse, nameOf } from './arguments.ts';
import type { EolStyle } from './evbuffer-search.ts';

/* What `EvBuffer` checks of its arguments: each throws `ApiMisuse` that names the operation and the argument. */

export function requireBytes(operation: string, data: unknown): asserts data is Uint8Array {
  if (data instanceof Uint8Array) return;
  misuse(operation, `data must be a string or a Uint8Array, not ${nameOf(data)}`);
}

export function requireText(operation: string, text: string): string {
  if (typeof text === 'string') return text;
  return misuse(operation, `text must be a string, not ${nameOf(text)}`);
}

export function requireEncoding(operation: string, encoding: BufferEncoding): void {
  if (encoding === 'utf8' || encoding === 'latin1' || Buffer.isEncoding(encoding)) return;
  misuse(operation, `encoding must be one that Buffer knows, not ${String(encoding)}`);
}

export function requireStyle(operation: string, style: EolStyle): void {
  switch (style) {
    case 'any':
    case 'crlf':
    case 'crlf-strict':
    case 'lf':
    case 'nul':
      return;
    default:
      misuse(operation, `style must be 'any', 'crlf', 'crlf-strict', 'lf' or 'nul', not ${String(style)}`);
  }
}
