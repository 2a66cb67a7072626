import { setClock } from './clock.js';
import { decode } from './exact.js';

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
  readonly retention: Readonly<Record<'completedMs' | 'failedMs' | 'canceledMs', number>>;
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
  readonly workers: readonly Worker[];
  readonly isCut: boolean;
}

/** The slowest step of an action is done long before. */
const DEADLINE_MS = 60_000;

export function read<T>(path: string): Promise<T> {
  return send(path, { headers: { accept: 'application/json' } }, answerOf<T>);
}

/** Why there is no stream: no answer of the server, no access, no job, or no answer of its store. */
export type Trouble = 'lost' | 'refused' | 'gone' | 'unavailable';

/** Asks why a stream cannot be opened. */
export function troubleOf(stream: string): Promise<Trouble> {
  const path = stream.startsWith('api/jobs/') ? stream.replace(/\/stream$/, '') : 'api/visitor';
  return send(path, { method: 'HEAD', headers: { accept: 'application/json' } }, ({ ok, status, headers }): Trouble => {
    const hasData = isJson(headers);
    if (status === 401 || status === 403 || (ok && !hasData)) return 'refused';
    // Without data it is the answer of a proxy.
    if (hasData && status === 404) return 'gone';
    return hasData && status === 503 ? 'unavailable' : 'lost';
  }).catch(() => 'lost');
}

/** The server did not do what it was asked for. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface Step {
  readonly changed: number;
  readonly seen: number;
  readonly cursor: string | null;
}

/** On jobs by id, on queues and schedules by name; or on a page of the jobs that match a filter. */
export type Target = { readonly targets: readonly string[] } | { readonly filter: Readonly<Record<string, string>> };

export function act(operation: string, target: Target): Promise<Step> {
  const headers = { 'content-type': 'application/json', 'x-async-endpoints-dashboard': '1' };
  const body = JSON.stringify({ operation, ...target });
  return send('api/actions', { method: 'POST', headers, body }, answerOf<Step>);
}

async function send<T>(path: string, init: RequestInit, use: (response: Response) => T | Promise<T>): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), DEADLINE_MS);
  try {
    const response = await fetch(addressOf(path), { ...init, signal: deadline.signal });
    setClock(response.headers.get('date'));
    return await use(response);
  } catch (error) {
    const isLate = deadline.signal.aborted;
    if (!isLate && !(error instanceof TypeError)) throw error;
    const why = isLate ? `did not answer within ${DEADLINE_MS / 1_000} s` : 'cannot be reached';
    throw new Error(`The server ${why}.`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function isJson(headers: Headers): boolean {
  return headers.get('content-type')?.includes('json') ?? false;
}

async function answerOf<T>(response: Response): Promise<T> {
  const hasData = isJson(response.headers);
  const body = hasData ? decode<{ message?: string; detail?: string }>(await response.text()) : {};
  const { status } = response;
  if (!response.ok) throw new Refusal(status, body.message ?? body.detail ?? `The server answered ${status}.`);
  // A login page, for example.
  if (!hasData) throw new Error('The server sent no data. Reload the page to sign in again.');
  return body as T;
}
