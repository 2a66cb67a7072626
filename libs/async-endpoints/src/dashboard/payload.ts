import type { RequestValue, StoredPayload } from '../job/job.js';
import { withExactNumbers } from './exact-json.js';
import type { DashboardShow } from './options.js';
import { redacted } from './redact.js';

/** What a handler is given, as a visitor may see it. What is absent is not there, or not to be seen. */
export interface ShownPayload {
  readonly payload?: unknown;
  readonly headers?: readonly RequestValue[];
  readonly routeParams?: readonly RequestValue[];
  readonly queryParams?: readonly RequestValue[];
  readonly context?: unknown;
  readonly traceId?: string;
  readonly schedule?: string;
}

/** @param text as stores keep it; null for none */
export function shownPayload(text: string | null, show: DashboardShow, owner: string | null): ShownPayload {
  if (text === null || !(show.payload ?? owner === null)) return {};
  const stored = JSON.parse(text) as StoredPayload;
  const { request, snapshot, trace, context, schedule } = stored;
  const exact = withExactNumbers(text, stored);
  const payload = redacted(request, show, [], exact.request);
  if (owner !== null) return { payload };
  const values = (of: readonly RequestValue[] = []) =>
    of.map(([name, value]) => [name, String(redacted(value, show, [name]))] as const);
  return {
    payload,
    headers: values(snapshot?.headers),
    routeParams: values(snapshot?.routeParams),
    queryParams: values(snapshot?.queryParams),
    context: redacted(context, show, [], exact.context),
    traceId: trace?.traceparent.split('-')[1],
    schedule: schedule?.name,
  };
}
