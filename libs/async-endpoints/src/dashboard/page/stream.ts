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

/** The one event stream of the page. It is opened anew until it works, and closed while nobody looks at the page. */
export function useStream(path: string | null): Stream {
  const [state, setState] = useState({ path, isLive: false });
  useEffect(() => {
    if (path === null) return;
    let source: EventSource | null = null;
    let timer = 0;
    const wait = (ms: number, then: () => void) => {
      clearTimeout(timer);
      timer = window.setTimeout(then, ms);
    };
    const close = () => {
      source?.close();
      source = null;
    };
    const lose = () => {
      close();
      setState({ path, isLive: false });
      wait(RETRY_MS, open);
    };
    const open = () => {
      close();
      if (document.hidden) return;
      source = new EventSource(addressOf(path));
      const hear = () => wait(SILENCE_MS, lose);
      hear();
      source.addEventListener('ping', hear);
      source.addEventListener('error', lose);
      source.addEventListener('message', ({ data }) => {
        hear();
        keep(path, JSON.parse(data as string));
        setState({ path, isLive: true });
      });
    };
    const look = () => (document.hidden ? close() : open());
    open();
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      clearTimeout(timer);
      close();
    };
  }, [path]);
  const value = path === null ? null : (latest.get(path) ?? null);
  return { value, isLive: state.path === path && state.isLive };
}

function keep(path: string, value: unknown): void {
  latest.delete(path);
  latest.set(path, value);
  const [oldest] = latest.keys();
  if (latest.size > MAX_LATEST && oldest !== undefined) latest.delete(oldest);
}
