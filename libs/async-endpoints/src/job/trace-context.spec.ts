import { parseTraceContext } from './trace-context.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('A trace context', () => {
  it('is kept unchanged', () => {
    const given = { traceparent: TRACEPARENT, tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE' };
    expect(parseTraceContext(given)).toEqual(given);
    expect(parseTraceContext({ traceparent: TRACEPARENT })).toEqual({ traceparent: TRACEPARENT });
  });

  it('of a later version is reduced to the known parts', () => {
    expect(parseTraceContext({ traceparent: `cc${TRACEPARENT.slice(2)}-what-the-future-holds` })).toEqual({
      traceparent: TRACEPARENT,
    });
  });

  it.each([
    undefined,
    '',
    'x',
    TRACEPARENT.toUpperCase(),
    `ff${TRACEPARENT.slice(2)}`,
    `${TRACEPARENT}-more`,
    `${TRACEPARENT}\n`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    `cc${TRACEPARENT.slice(2)}-${'x'.repeat(10_000)}`,
    ['00', 'a list'] as unknown as string,
  ])('that is malformed is dropped: %j', (traceparent) => {
    expect(parseTraceContext({ traceparent, tracestate: 'a=b' })).toBeNull();
  });

  it.each(['x'.repeat(513), 'a=b\r\nSet-Cookie: c', '', 17 as unknown as string])(
    'loses only its tracestate when that is too long or malformed: %j',
    (tracestate) =>
      expect(parseTraceContext({ traceparent: TRACEPARENT, tracestate })).toEqual({ traceparent: TRACEPARENT }),
  );
});
