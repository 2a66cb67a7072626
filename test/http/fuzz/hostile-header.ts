import * as fc from 'fast-check';
import { hostileId, hostileText } from './hostile-text.js';

const wait = fc.oneof(
  fc.constantFrom(
    'wait=1',
    'respond-async, wait=1',
    'wait=99999999999999999999',
    'wait="1"',
    'wait=-1',
    'wait=1;wait=2',
    '"',
    ',,,;;=',
    'wait=\u0661',
  ),
  hostileText,
);
const tag = fc.oneof(
  fc.constantFrom('*', 'W/"a", "b"', '""', '"', 'W/', '"a'.repeat(2_000), '"mgtnf2h1-1"'),
  hostileText,
);
const key = fc.oneof(
  { weight: 3, arbitrary: fc.nat(15).map((n) => `"key-${n}"`) },
  { weight: 2, arbitrary: hostileText },
  { weight: 1, arbitrary: hostileText.map((text) => JSON.stringify(text)) },
);

/** A header of the contract or of anybody else, with a value that it should not have. */
export const hostileHeader = fc.oneof(
  { weight: 4, arbitrary: hostileId.map((id) => ['X-Async-Request-Id', id] as const) },
  { weight: 4, arbitrary: key.map((value) => ['Idempotency-Key', value] as const) },
  { weight: 3, arbitrary: wait.map((value) => ['Prefer', value] as const) },
  { weight: 2, arbitrary: tag.map((value) => ['If-None-Match', value] as const) },
  {
    weight: 2,
    arbitrary: fc.oneof(fc.nat(9).map(String), hostileText).map((value) => ['Last-Event-ID', value] as const),
  },
  { weight: 2, arbitrary: hostileText.map((value) => ['X-User', value] as const) },
  { weight: 2, arbitrary: hostileText.map((value) => ['X-Captured', value] as const) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom(
        'Accept',
        'Accept-Encoding',
        'Accept-Language',
        'Range',
        'If-Match',
        'Origin',
        'Referer',
        'User-Agent',
        'X-Forwarded-Host',
        'X-HTTP-Method-Override',
        'traceparent',
        'tracestate',
        'baggage',
        'Via',
        'TE',
        'Forwarded',
        'X-Request-Id',
      ),
      hostileText,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom('__proto__', 'constructor', 'toString', 'x y', 'x\u0000', '', 'X-\u00e9'),
      hostileText,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ['Expect', '100-continue'],
      ['Expect', 'klingon'],
      ['Upgrade', 'websocket'],
      ['Host', 'evil.example'],
      ['X-Folded', 'a\r\n  b\r\n\tc'],
      ['X-Long', 'f'.repeat(17_000)] as const,
    ),
  },
);
