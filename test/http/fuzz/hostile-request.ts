import * as fc from 'fast-check';
import { type Framed, framing } from './framings.js';
import { heavyContent, hostileContent } from './hostile-content.js';
import { hostileHeader } from './hostile-header.js';
import { hostileId, hostileText, knownId } from './hostile-text.js';
import type { RawRequest } from './raw-request.js';

/** In no answer, log line or stored thing: it goes with every request. */
export const CREDENTIAL = 'sesame';

const CREDENTIALS = [
  `Authorization: Bearer ${CREDENTIAL}`,
  `Cookie: sid=${CREDENTIAL}; session=${CREDENTIAL}`,
  `Proxy-Authorization: Basic ${CREDENTIAL}`,
  `X-Api-Key: ${CREDENTIAL}`,
  `X-Auth-Token: ${CREDENTIAL}`,
  `X-Amz-Security-Token: ${CREDENTIAL}`,
  `X-Csrf-Token: ${CREDENTIAL}`,
];

const segment = hostileText.map((text) => encoded(text));
const query = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.tuple(segment, segment), { maxLength: 4 })
      .map((pairs) => `?${pairs.map((pair) => pair.join('=')).join('&')}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '?__proto__[polluted]=yes&constructor[prototype][polluted]=yes',
      '?a[__proto__][polluted]=1',
      '?a[]=1&a[length]=1e9&a=2',
      '?&&&==',
      '?%',
      '?%ff=%00',
      `?${'a[b]'.repeat(300)}=1`,
      `?${'a=1&'.repeat(1_200)}`,
    ),
  },
  { weight: 1, arbitrary: hostileText.map((text) => `?${text}`) },
);
const place = fc.oneof(
  { weight: 8, arbitrary: hostileId.map((id) => encoded(id)) },
  { weight: 1, arbitrary: hostileId },
);
const targets = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('POST'), fc.constant('/probes')) },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'),
      fc.oneof(segment, hostileText).map((name) => `/probes/${name}`),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(
      fc.constantFrom('GET', 'GET', 'HEAD', 'DELETE', 'POST', 'OPTIONS'),
      fc
        .tuple(place, fc.constantFrom('', '', '/result', '/events', '/', '/evil', '//result'))
        .map(([id, rest]) => `/jobs/${id}${rest}`),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom('GET', 'BREW', 'TRACE', 'PROPFIND', 'CONNECT', 'get', ''),
      fc.oneof(
        knownId.map((id) => `/jobs/${id}`),
        fc.constantFrom(
          '*',
          '/',
          '//jobs',
          'http://evil.example/jobs',
          '/jobs/../probes',
          '/jobs/%2e%2e/probes',
          'jobs',
        ),
        hostileText,
      ),
    ),
  },
);

function withoutControls(value: string): string {
  // oxlint-disable-next-line no-control-regex
  return value.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '');
}

function withoutBlanks(target: string): string {
  return withoutControls(target).replaceAll(/[\t ]/g, '');
}

/** A lone surrogate has no encoding. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString()).slice(0, 2_000);
}

/** Line breaks appear where only the low byte of a character is sent. */
function asSent(line: string): string {
  return Buffer.from(line, 'latin1').toString('latin1');
}

/** From a stock, the same every time: to make each anew would take longer than to send it. */
function drawn<T>(arbitrary: fc.Arbitrary<T>, size = 600): fc.Arbitrary<T> {
  return fc.constantFrom(...fc.sample(arbitrary, { seed: 1, numRuns: size }));
}

const NO_BODY: Framed = { lines: [], body: Buffer.alloc(0), framing: 'sound' };

/** One request, with credentials, that may be anything from well-behaved to no HTTP at all. */
export const hostileRequest: fc.Arbitrary<RawRequest> = fc
  .record({
    target: drawn(targets),
    query: drawn(query),
    headers: fc.array(drawn(hostileHeader), { maxLength: 4 }),
    // Most requests must get past the parser to do harm behind it.
    isClean: fc.nat(9).map((n) => n > 0),
    content: fc.oneof(
      { weight: 120, arbitrary: drawn(hostileContent) },
      { weight: 1, arbitrary: drawn(heavyContent, 12) },
    ),
    framing,
    version: fc.oneof(
      { weight: 30, arbitrary: fc.constant('HTTP/1.1') },
      { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/9.9', 'ICY', '') },
    ),
    lines: fc.oneof(
      { weight: 30, arbitrary: fc.constant('\r\n') },
      { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\n\r\n') },
    ),
  })
  .map(
    ({
      target: [method, path],
      query: search,
      headers,
      isClean,
      content: given,
      framing: frame,
      version,
      lines: end,
    }) => {
      const bodiless = method === 'GET' || method === 'HEAD';
      const framed = bodiless ? NO_BODY : frame(given.bytes);
      const all = [
        `${method} ${isClean ? withoutBlanks(path + search) : path + search} ${version}`,
        'Connection: close',
        'Host: localhost',
        ...CREDENTIALS,
        ...headers
          .filter(([name]) => !isClean || /^[\w-]+$/.test(name))
          .map(([name, value]) => `${name}: ${isClean && name !== 'X-Folded' ? withoutControls(value) : value}`),
        ...(bodiless || given.type === null ? [] : [`Content-Type: ${given.type}`]),
        ...(bodiless || given.encoding === undefined ? [] : [`Content-Encoding: ${given.encoding}`]),
        ...framed.lines,
      ];
      return {
        head: `${all.join(end)}${end}${end}`,
        body: framed.body,
        json: framed.framing === 'sound' && all.every((line) => !/[\r\n]/.test(asSent(line))) ? given.json : undefined,
        framing: framed.framing ?? 'unsound',
        [fc.toStringMethod]: () =>
          JSON.stringify({ head: all, body: framed.body.toString('latin1').slice(0, 500) }, null, 1),
      };
    },
  );
