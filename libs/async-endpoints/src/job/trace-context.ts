import type { TraceContext } from './job.js';

/** Version 00; of later versions, what they begin with. Neither id may be all zeros, and `ff` is no version. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-[\da-f]{2}(-.{0,200})?$/;
/** What W3C asks everybody to pass on; longer ones are dropped whole. */
const TRACESTATE_LIMIT = 512;
const TRACESTATE = /^[\x20-\x7e\t]+$/;

/**
 * The trace context in the form in which it is stored and passed on; null when it is malformed: W3C Trace Context, 3.2 and
 * 3.3.
 */
export function parseTraceContext({ traceparent, tracestate }: Partial<TraceContext>): TraceContext | null {
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent)) return null;
  // Version 00 ends after the flags; of a later one only what we know is passed on.
  if (traceparent.startsWith('00-') && traceparent.length !== 55) return null;
  const known = `00-${traceparent.slice(3, 55)}`;
  const isKept = typeof tracestate === 'string' && tracestate.length <= TRACESTATE_LIMIT && TRACESTATE.test(tracestate);
  return isKept ? { traceparent: known, tracestate } : { traceparent: known };
}
