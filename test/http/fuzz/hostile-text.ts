import * as fc from 'fast-check';

/** Ids that many requests name, so that they meet each other's jobs. */
export const IDS = Array.from({ length: 24 }, (_, n) => `5b7e0e4a-8f8b-4c8a-9f1f-${String(n).padStart(12, '0')}`);

/** What has broken something somewhere: prototypes, header lines, RESP, Lua, key patterns, our own records, templates. */
const TRICKS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'toJSON',
  'then',
  'length',
  '\r\nX-Evil: 1',
  '\nX-Evil: 1\n\n',
  '%0d%0aX-Evil:%201',
  '\u560d\u560aX-Evil: 1',
  '\r\n*3\r\n$3\r\nSET\r\n$4\r\nevil\r\n$1\r\n1\r\n',
  '\r\nFLUSHALL\r\n',
  "'); redis.call('FLUSHALL') --",
  "]] redis.call('SET', 'evil', 1) --",
  '"; redis.call("DEL", KEYS[1]); --',
  '{ae:0}:jobs',
  '{ae:0}:line:Probe',
  '{evil}',
  '*',
  '[a-z]?',
  '1Q0000000150000151795463325571,0,0,0,0;0,1,,,\nProbe\n"evil"\n0\n\n\n\n\n\n{}',
  '\n\n\n\n\n\n\n\n\n\n\n',
  '0 9999999999999',
  '../../etc/passwd',
  '..%2f..%2f',
  '%2e%2e/',
  '//evil.example/',
  '\u0000',
  '%00',
  '%',
  '%ff%fe',
  '\u2028\u2029',
  '\ufeff',
  '\ud800',
  '\u{1f41d}',
  '${7*7}{{7*7}}<%=7*7%>',
  '<script>alert(1)</script>',
  "' OR 1=1 --",
  '%s%n%x',
  'NaN',
  '-0',
  '1e999',
  'null',
  'undefined',
  '"',
  '\\',
  "'",
  ';',
  ',',
  '00000000-0000-0000-0000-000000000000',
  '[object Object]',
] as const;

const repeated = fc
  .tuple(fc.constantFrom('a', '\r\n', '%', '"', '{', '[', '\u00e9', ',', ' ', '\t', '\u0000', ';='), fc.nat(3_000))
  .map(([text, times]) => text.repeat(times));

const tricks = fc.array(fc.constantFrom(...TRICKS), { minLength: 1, maxLength: 3 }).map((some) => some.join(''));

/** Any text, more often one that is known for trouble. */
export const hostileText = fc.oneof(
  { weight: 5, arbitrary: tricks },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  { weight: 1, arbitrary: repeated },
);

export const knownId = fc.constantFrom(...IDS);

/** A job's id, well-formed or not. */
export const hostileId = fc.oneof(
  { weight: 4, arbitrary: knownId },
  { weight: 1, arbitrary: fc.uuid() },
  { weight: 1, arbitrary: knownId.map((id) => id.toUpperCase()) },
  { weight: 1, arbitrary: fc.tuple(knownId, hostileText).map(([id, text]) => id + text) },
  { weight: 2, arbitrary: hostileText },
);

/** JSON values whose keys and strings are hostile. */
export const hostileJson = fc
  .letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      hostileText,
      fc.constantFrom(null, true, false, 0, -0, 1e308, Number.MAX_SAFE_INTEGER, 5e-324),
      fc.array(tie('value'), { maxLength: 4 }),
      tie('object'),
    ),
    // By hand: an object literal takes "__proto__" for something else.
    object: fc
      .array(fc.tuple(hostileText, tie('value')), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries) as unknown),
  }))
  .object.map((value) => JSON.stringify(value));
