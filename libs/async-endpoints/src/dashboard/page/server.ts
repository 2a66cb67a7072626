/** The address of the dashboard, as the browser knows it. */
const ROOT = new URL('../', import.meta.url);

export function addressOf(path: string): URL {
  return new URL(path, ROOT);
}

export interface Visitor {
  readonly access: 'read' | 'operate';
  readonly owner: string | null;
}

export interface Failure {
  readonly number: number;
  readonly worker: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: string;
  readonly error: { readonly code: string; readonly message: string };
}

export interface Job {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly owner: string | null;
  readonly priority: number;
  readonly retryCount: number;
  readonly maxRetries: number;
  readonly crashes: number;
  readonly createdAt: number;
  readonly scheduledAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  readonly lastUpdatedAt: number;
  readonly progress: { readonly fraction: number; readonly message: string | null } | null;
  readonly result?: unknown;
  readonly error: { readonly code: string; readonly message?: string; readonly details?: unknown } | null;
  readonly failedAttempts?: readonly Failure[];
  readonly worker: string | null;
}

type Values = readonly (readonly [name: string, value: string])[];

/** What is absent is not there, or not to be seen. */
export interface Payload {
  readonly payload?: unknown;
  readonly headers?: Values;
  readonly routeParams?: Values;
  readonly queryParams?: Values;
  readonly context?: unknown;
  readonly traceId?: string;
  readonly schedule?: string;
}

interface Series {
  readonly completed: readonly number[];
  readonly failed: readonly number[];
}

export interface Snapshot {
  readonly at: number;
  readonly unavailable?: boolean;
  readonly stats: readonly { name: string; status: string; count: number; oldestAgeMs: number | null }[];
  readonly paused: readonly { name: string; pausedAt: number; pausedBy: string | null }[];
  readonly workers: number;
  readonly slots: number;
  readonly history: { readonly since: number; readonly names: Readonly<Record<string, Series>> };
  readonly growing: readonly string[];
}

export interface Worker {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly slots: number;
  readonly names: readonly string[];
  readonly startedAt: number;
  readonly heartbeatAt: number;
  readonly used: number;
  readonly running: readonly { readonly id: string; readonly name: string; readonly startedAt: number }[];
}

export interface WorkersSnapshot {
  readonly at: number;
  readonly unavailable?: boolean;
  readonly workers: readonly Worker[];
  readonly isCut: boolean;
}

export async function read<T>(path: string): Promise<T> {
  return answerOf<T>(await fetch(addressOf(path), { headers: { accept: 'application/json' } }));
}

export interface Step {
  readonly changed: number;
  readonly seen: number;
  readonly cursor: string | null;
}

/** On jobs by id, on queues and schedules by name; or on a page of the jobs that match a filter. */
export type Target = { readonly targets: readonly string[] } | { readonly filter: Readonly<Record<string, string>> };

export async function act(operation: string, target: Target): Promise<Step> {
  const headers = { 'content-type': 'application/json', 'x-async-endpoints-dashboard': '1' };
  const body = JSON.stringify({ operation, ...target });
  return answerOf<Step>(await fetch(addressOf('api/actions'), { method: 'POST', headers, body }));
}

async function answerOf<T>(response: Response): Promise<T> {
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const body = (isJson ? await response.json() : {}) as { message?: string; detail?: string };
  if (!response.ok) throw new Error(body.message ?? body.detail ?? `The server answered ${response.status}.`);
  // A login page, for example.
  if (!isJson) throw new Error('The server sent no data. Reload the page to sign in again.');
  return body as T;
}
