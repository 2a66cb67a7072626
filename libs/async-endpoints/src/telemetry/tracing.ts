import {
  type Attributes,
  type Context,
  context,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import {
  type JobRun,
  type JobSubmission,
  RUN_MIDDLEWARE,
  type RunEnd,
  SUBMIT_MIDDLEWARE,
} from '../events/middleware.js';
import { toJobError } from '../job/errors.js';
import type { Claim, JobRecord, RequestSnapshot, StoredPayload, TraceContext } from '../job/job.js';
import { RequestValues } from '../job/request-values.js';
import { parseTraceContext } from '../job/trace-context.js';
import type { JobStore } from '../store/job-store.js';

/** The span of the last attempt here, for log lines about the job after the span has ended. */
const runs = new WeakMap<JobRecord, SpanContext>();

export function spanContextOf(job: JobRecord): SpanContext | undefined {
  return runs.get(job);
}

/**
 * Creates spans according to the semantic conventions for messaging: `send {job name}` for a submission, `process {job name}` for
 * each attempt. An attempt is a child of the submission, on any machine. A retry also links to the submission, because the
 * previous failure caused it. Payloads are not in attributes.
 */
export class Tracing {
  #ends: (() => void)[] = [];

  constructor(
    private readonly tracer: Tracer,
    private readonly store: JobStore,
  ) {}

  open(): void {
    this.#ends = [
      SUBMIT_MIDDLEWARE.add((submission, next) => this.#submit(submission, next), this.store),
      RUN_MIDDLEWARE.add((run, next) => this.#run(run, next), this.store),
    ];
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  async #submit<T extends { readonly id: string }>(submission: JobSubmission, next: () => Promise<T>): Promise<T> {
    const { name, snapshot } = submission;
    const parent = contextOf(submission.trace) ?? active() ?? contextOf(headersOf(snapshot)) ?? ROOT_CONTEXT;
    const options = { kind: SpanKind.PRODUCER, attributes: messaging(name, 'send') };
    const span = this.tracer.startSpan(`send ${name}`, options, parent);
    submission.trace = traceContextOf(span) ?? submission.trace;
    try {
      const submitted = await context.with(trace.setSpan(parent, span), next);
      span.setAttribute('messaging.message.id', submitted.id);
      return submitted;
    } catch (error) {
      failed(span, error);
      throw error;
    } finally {
      span.end();
    }
  }

  async #run({ claim }: JobRun, next: () => Promise<RunEnd>): Promise<RunEnd> {
    const { span, within } = this.#attempt(claim);
    runs.set(claim.job, span.spanContext());
    const end = await context.with(within, next);
    concluded(span, end);
    span.end();
    return end;
  }

  #attempt({ job, payload, fence }: Claim): { span: Span; within: Context } {
    const submitted = contextOf(traceOf(payload));
    const link = submitted && trace.getSpanContext(submitted);
    const isFirst = job.retryCount === 0 && job.crashes === 0;
    const options = {
      kind: SpanKind.CONSUMER,
      attributes: {
        'messaging.message.id': job.id,
        'asyncendpoints.job.attempt': job.retryCount + 1,
        'asyncendpoints.job.fence': fence,
        ...messaging(job.name, 'process'),
      },
      links: link && !isFirst ? [{ context: link }] : [],
    };
    const parent = submitted ?? ROOT_CONTEXT;
    const span = this.tracer.startSpan(`process ${job.name}`, options, parent);
    return { span, within: trace.setSpan(parent, span) };
  }
}

function messaging(name: string, operation: 'send' | 'process'): Attributes {
  return {
    'messaging.system': 'asyncendpoints',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': name,
  };
}

function concluded(span: Span, { outcome, cause }: RunEnd): void {
  span.setAttribute('asyncendpoints.job.outcome', outcome?.verb ?? 'none');
  if (cause !== undefined) failed(span, cause);
}

/** Records the part of the error that a client may read. The stack is in the log. */
function failed(span: Span, error: unknown): void {
  const { code, message } = toJobError(error);
  span.setAttribute('error.type', code);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

function active(): Context | null {
  return trace.getSpanContext(context.active()) ? context.active() : null;
}

/** Searches the text first, so that the large payload of an untraced job is not parsed twice. */
function traceOf(payload: string): TraceContext | undefined {
  if (!payload.includes('traceparent')) return undefined;
  try {
    const { trace: stored, snapshot } = JSON.parse(payload) as StoredPayload;
    return stored ?? headersOf(snapshot);
  } catch {
    return undefined; // the run reports it
  }
}

function headersOf(snapshot: RequestSnapshot | undefined): TraceContext | undefined {
  if (!snapshot) return undefined;
  const headers = new RequestValues(snapshot.headers);
  return { traceparent: headers.get('traceparent') ?? '', tracestate: headers.get('tracestate') };
}

function contextOf(given: TraceContext | undefined): Context | null {
  const known = given && parseTraceContext(given);
  if (!known) return null;
  const [, traceId, spanId, flags] = known.traceparent.split('-') as [string, string, string, string];
  const spanContext: SpanContext = {
    traceId,
    spanId,
    traceFlags: parseInt(flags, 16),
    isRemote: true,
    ...(known.tracestate && { traceState: createTraceState(known.tracestate) }),
  };
  return trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

/** Undefined when no SDK is registered: then the trace context of the request is passed on unchanged. */
function traceContextOf(span: Span): TraceContext | undefined {
  const spanContext = span.spanContext();
  if (!isSpanContextValid(spanContext)) return undefined;
  const { traceId, spanId, traceFlags, traceState } = spanContext;
  const flags = traceFlags.toString(16).padStart(2, '0');
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate: traceState?.serialize() };
}
