import { useEffect, useState } from 'preact/hooks';
import { addressOf } from './server.js';

/** The server sends something at least every 10 s: a stream that is silent for longer is lost, whatever the browser thinks. */
const SILENCE_MS = 25_000;
const RETRY_MS = 2_000;

export interface Stream {
  /** The latest message; that of an earlier visit until the first one comes. */
  readonly value: unknown;
  readonly isLive: boolean;
}

const latest = new Map<string, unknown>();
const MAX_LATEST = 20;

/** The one event stream of the page. */
export function useStream(path: string | null): Stream {
  const [state, setState] = useState({ path, isLive: false });
  useEffect(() => {
    if (path === null) return;
    return followed(path, (data) => {
      if (data !== null) keep(path, JSON.parse(data));
      setState({ path, isLive: data !== null });
    });
  }, [path]);
  const value = path === null ? null : (latest.get(path) ?? null);
  return { value, isLive: state.path === path && state.isLive };
}

/**
 * Opens a stream anew until it works, and closes it while nobody looks at the page.
 *
 * @param tell gets the data of each message, and null when the stream is lost
 * @returns closes it for good
 */
function followed(path: string, tell: (data: string | null) => void): () => void {
  let source: EventSource | undefined;
  let timer = 0;
  const wait = (ms: number, then: () => void) => {
    clearTimeout(timer);
    timer = window.setTimeout(then, ms);
  };
  const hear = () => wait(SILENCE_MS, lose);
  const lose = () => {
    source?.close();
    tell(null);
    wait(RETRY_MS, open);
  };
  const open = () => {
    source?.close();
    clearTimeout(timer);
    if (document.hidden) return;
    source = new EventSource(addressOf(path));
    source.addEventListener('ping', hear);
    source.addEventListener('error', lose);
    source.addEventListener('message', ({ data }) => {
      hear();
      tell(data as string);
    });
    hear();
  };
  open();
  document.addEventListener('visibilitychange', open);
  return () => {
    document.removeEventListener('visibilitychange', open);
    clearTimeout(timer);
    source?.close();
  };
}

function keep(path: string, value: unknown): void {
  latest.delete(path);
  latest.set(path, value);
  const [oldest] = latest.keys();
  if (latest.size > MAX_LATEST && oldest !== undefined) latest.delete(oldest);
}
