import { useEffect, useState } from 'preact/hooks';

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

export interface Snapshot {
  readonly at: number;
  readonly unavailable?: boolean;
  readonly stats: readonly { name: string; status: string; count: number; oldestAgeMs: number | null }[];
  readonly paused: readonly { name: string; pausedAt: number; pausedBy: string | null }[];
  readonly workers: readonly {
    id: string;
    host: string;
    pid: number;
    version: string;
    slots: number;
    names: string[];
    startedAt: number;
    heartbeatAt: number;
  }[];
  readonly history: Readonly<Record<string, { completed: readonly number[]; failed: readonly number[] }>>;
}

export async function read<T>(path: string): Promise<T> {
  return answerOf<T>(await fetch(addressOf(path), { headers: { accept: 'application/json' } }));
}

/** @returns how many jobs or queues have changed */
export async function act(operation: string, targets: readonly string[]): Promise<number> {
  const headers = { 'content-type': 'application/json', 'x-async-endpoints-dashboard': '1' };
  const body = JSON.stringify({ operation, targets });
  const { changed } = await answerOf<{ changed: number }>(
    await fetch(addressOf('api/actions'), { method: 'POST', headers, body }),
  );
  return changed;
}

async function answerOf<T>(response: Response): Promise<T> {
  const body = (await response.json().catch(() => ({}))) as { message?: string; detail?: string };
  if (!response.ok) throw new Error(body.message ?? body.detail ?? `The server answered ${response.status}.`);
  return body as T;
}

export interface Stream<T> {
  readonly value: T | null;
  readonly isLive: boolean;
}

/**
 * The latest message of an event stream, which is opened anew until it works.
 *
 * @param isLast whether no message follows this one: then the stream is not opened anew
 */
export function useStream<T>(path: string | null, isLast: (value: T) => boolean = () => false): Stream<T> {
  const [state, setState] = useState<Stream<T>>({ value: null, isLive: false });
  useEffect(() => {
    if (path === null) return;
    let source: EventSource;
    let timer = 0;
    const open = (): void => {
      source = new EventSource(addressOf(path));
      source.addEventListener('message', ({ data }) => {
        const value = JSON.parse(data as string) as T;
        setState({ value, isLive: true });
        if (isLast(value)) source.close();
      });
      source.addEventListener('error', () => {
        setState(({ value }) => ({ value, isLive: false }));
        source.close();
        timer = window.setTimeout(open, 2_000);
      });
    };
    open();
    return () => {
      source.close();
      clearTimeout(timer);
    };
  }, [path]);
  return state;
}
