import { useEffect, useState } from 'preact/hooks';
import { now } from './clock.js';
import { decode } from './exact.js';
import { addressOf, type Trouble, troubleOf } from './server.js';

/** The server sends something at least every 10 s: a stream that is silent for longer is lost, whatever the browser thinks. */
const SILENCE_MS = 25_000;
const RETRY_MS = 2_000;

type State = 'connecting' | 'live' | Trouble;

export interface Stream {
  readonly state: State;
  /** The latest message; that of an earlier visit until the first one comes. */
  readonly value: unknown;
  /** When it came; null without one. */
  readonly heardAt: number | null;
}

interface Heard {
  readonly value: unknown;
  readonly heardAt: number;
}

const latest = new Map<string, Heard>();
const MAX_LATEST = 20;

/** The one event stream of the page. */
export function useStream(path: string | null): Stream {
  const [state, setState] = useState<{ path: string | null; state: State; times: number }>({
    path,
    state: 'connecting',
    times: 0,
  });
  useEffect(() => {
    if (path === null) return;
    const tell = (next: State) => setState(({ times }) => ({ path, state: next, times: times + 1 }));
    return followed(path, tell, (data) => {
      const value = decode<{ unavailable?: boolean }>(data);
      if (value.unavailable !== true) keep(path, { value, heardAt: now() });
      tell(value.unavailable === true ? 'unavailable' : 'live');
    });
  }, [path]);
  const { value, heardAt } = latest.get(path ?? '') ?? { value: null, heardAt: null };
  return { state: state.path === path ? state.state : 'connecting', value, heardAt };
}

/**
 * Opens a stream anew until it works or its job is gone, and closes it while nobody looks at the page.
 *
 * @returns closes it for good
 */
function followed(path: string, tell: (state: State) => void, hearData: (data: string) => void): () => void {
  let source: EventSource | undefined;
  let timer = 0;
  let isOver = false;
  let isHeard = false;
  const wait = (ms: number, then: () => void) => {
    clearTimeout(timer);
    timer = window.setTimeout(then, ms);
  };
  const hear = () => wait(SILENCE_MS, lose);
  const lose = () => {
    source?.close();
    if (isHeard) tell('lost');
    isHeard = false;
    wait(RETRY_MS, open);
    void explain();
  };
  /** A stream does not tell why it cannot be opened. */
  const explain = async () => {
    const trouble = await troubleOf(path);
    if (isOver || isHeard) return;
    tell(trouble);
    if (trouble === 'gone') close();
  };
  const look = () => {
    isHeard = false;
    tell('connecting');
    open();
  };
  const open = () => {
    source?.close();
    clearTimeout(timer);
    if (document.hidden) return;
    source = new EventSource(addressOf(path));
    source.addEventListener('ping', hear);
    source.addEventListener('error', lose);
    source.addEventListener('message', ({ data }) => {
      isHeard = true;
      hear();
      hearData(data as string);
    });
    hear();
  };
  const close = () => {
    isOver = true;
    document.removeEventListener('visibilitychange', look);
    clearTimeout(timer);
    source?.close();
  };
  open();
  document.addEventListener('visibilitychange', look);
  return close;
}

function keep(path: string, heard: Heard): void {
  latest.delete(path);
  latest.set(path, heard);
  const [oldest] = latest.keys();
  if (latest.size > MAX_LATEST && oldest !== undefined) latest.delete(oldest);
}
