import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { hostileJson, hostileText } from './hostile-text.js';

export interface Content {
  readonly type: string | null;
  readonly bytes: Buffer;
  readonly encoding?: string;
  readonly json?: string;
}

const anything = hostileText.map((text) => Buffer.from(text));
const jsonType = fc.constantFrom('application/json', 'application/json; charset=utf-8', 'Application/JSON;q=1');
const anyType = fc.oneof(
  fc.constantFrom(
    'text/plain',
    'text/html; charset=klingon',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'multipart/form-data',
    'application/octet-stream',
    'application/json; charset=utf-16le',
    'application/json; charset=utf-7',
    'application/merge-patch+json',
    ';;;/=,',
    '',
  ),
  hostileText,
);
const nested = fc.tuple(fc.integer({ min: 50, max: 20_000 }), fc.constantFrom('[]', '{"a":}')).map(([depth, pair]) => {
  const open = pair.slice(0, -1);
  return Buffer.from(`${open.repeat(depth)}${pair === '[]' ? '' : '1'}${pair.slice(-1).repeat(depth)}`);
});
const bomb = gzipSync(Buffer.alloc(20_000_000, ' '));

/** A body and what its headers say of it, true or not. */
export const hostileContent: fc.Arbitrary<Content> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .record({ type: jsonType, json: hostileJson })
      .map((made) => ({ ...made, bytes: Buffer.from(made.json) })),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant(null), bytes: fc.constant(Buffer.alloc(0)) }) },
  { weight: 2, arbitrary: fc.record({ type: anyType, bytes: anything }) },
  { weight: 2, arbitrary: fc.record({ type: jsonType, bytes: anything }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: jsonType, bytes: fc.uint8Array({ maxLength: 64 }).map((b) => Buffer.from(b)) }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(hostileJson, fc.nat())
      .map(([json, at]) => ({ type: 'application/json', bytes: Buffer.from(json.slice(0, at % json.length)) })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(hostileJson, fc.constantFrom('gzip', 'deflate', 'br', 'klingon', 'identity', 'gzip, br'))
      .map(([json, encoding]) => ({ type: 'application/json', encoding, bytes: compressed(json, encoding) })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(anything, hostileText)
      .map(([bytes, encoding]) => ({ type: 'application/json', bytes, encoding })),
  },
  { weight: 1, arbitrary: nested.map((bytes) => ({ type: 'application/json', bytes })) },
);

/** Rarely, for they cost time. */
export const heavyContent: fc.Arbitrary<Content> = fc.oneof(
  fc.constant({ type: 'application/json', bytes: bomb, encoding: 'gzip' }),
  fc
    .constantFrom(90_000, 200_000, 1_200_000)
    .map((size) => ({ type: 'application/json', bytes: Buffer.from(`{"a":"${'x'.repeat(size)}"}`) })),
);

function compressed(json: string, encoding: string): Buffer {
  const bytes = Buffer.from(json);
  if (encoding === 'gzip') return gzipSync(bytes);
  if (encoding === 'deflate') return deflateSync(bytes);
  return encoding === 'br' ? brotliCompressSync(bytes) : bytes;
}
