import * as fc from 'fast-check';
import type { RawRequest } from './raw-request.js';

export interface Framed {
  readonly lines: readonly string[];
  readonly body: Buffer;
  readonly framing?: RawRequest['framing'];
}

const chunk = (bytes: Buffer, size = bytes.length.toString(16)) =>
  Buffer.concat([Buffer.from(`${size}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')]);

/** Ways to say where a body ends: right, wrong and ambiguous. */
const FRAMINGS = {
  length: (body: Buffer): Framed => ({ lines: [`Content-Length: ${body.length}`], body, framing: 'sound' }),
  chunked: (body: Buffer): Framed =>
    body.length === 0
      ? { lines: [], body, framing: 'sound' }
      : { lines: ['Transfer-Encoding: chunked'], body: chunk(body), framing: 'sound' },
  'chunk extension': (body: Buffer): Framed => ({
    lines: ['Transfer-Encoding: chunked'],
    body: body.length === 0 ? Buffer.from('0\r\n\r\n') : chunk(body, `${body.length.toString(16)};a="\u0001";b`),
  }),
  trailer: (body: Buffer): Framed => ({
    lines: ['Transfer-Encoding: chunked', 'Trailer: X-Async-Request-Id'],
    body: Buffer.concat([
      chunk(body.length ? body : Buffer.from(' ')).subarray(0, -2),
      Buffer.from('X-Async-Request-Id: evil\r\n__proto__: x\r\n\r\n'),
    ]),
  }),
  'bad chunk size': (body: Buffer): Framed => ({ lines: ['Transfer-Encoding: chunked'], body: chunk(body, 'zz') }),
  'huge chunk size': (body: Buffer): Framed => ({
    lines: ['Transfer-Encoding: chunked'],
    body: chunk(body, 'f'.repeat(20)),
  }),
  'chunk too short': (body: Buffer): Framed => ({ lines: ['Transfer-Encoding: chunked'], body: chunk(body, '1') }),
  'length and chunked': (body: Buffer): Framed => ({
    lines: [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked'],
    body: chunk(body),
  }),
  'two lengths': (body: Buffer): Framed => ({ lines: [`Content-Length: ${body.length}`, 'Content-Length: 1'], body }),
  'other coding': (body: Buffer): Framed => ({
    lines: ['Transfer-Encoding: gzip, chunked, identity'],
    body: chunk(body),
  }),
  'length too small': (body: Buffer): Framed => ({ lines: [`Content-Length: ${Math.floor(body.length / 2)}`], body }),
  'length too large': (body: Buffer): Framed => ({
    lines: [`Content-Length: ${body.length + 10}`],
    body,
    framing: 'cut off',
  }),
  'length no number': (body: Buffer): Framed => ({ lines: ['Content-Length: -1e3'], body }),
};
export const framing = fc.oneof(
  { weight: 12, arbitrary: fc.constant(FRAMINGS.length) },
  { weight: 2, arbitrary: fc.constant(FRAMINGS.chunked) },
  { weight: 3, arbitrary: fc.constantFrom(...Object.values(FRAMINGS)) },
);
