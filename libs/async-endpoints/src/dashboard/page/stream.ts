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
    const { close } = new Followed(path, tell, (data) => {
      const value = decode<{ unavailable?: boolean }>(data);
      if (value.unavailable !== true) keep(path, { value, heardAt: now() });
      tell(value.unavailable === true ? 'unavailable' : 'live');
    });
    return close;
  }, [path]);
  const { value, heardAt } = latest.get(path ?? '') ?? { value: null, heardAt: null };
  return { state: state.path === path ? state.state : 'connecting', value, heardAt };
}

/** Opens a stream anew until it works or its job is gone, and closes it while nobody looks at the page. */
class Followed {
  #source: EventSource | undefined;
  #timer = 0;
  #isOver = false;
  #isHeard = false;

  constructor(
    private readonly path: string,
    private readonly tell: (state: State) => void,
    private readonly hearData: (data: string) => void,
  ) {
    this.#open();
    document.addEventListener('visibilitychange', this.#look);
  }

  /** For good. */
  readonly close = (): void => {
    this.#isOver = true;
    document.removeEventListener('visibilitychange', this.#look);
    clearTimeout(this.#timer);
    this.#source?.close();
  };

  readonly #look = (): void => {
    this.#isHeard = false;
    this.tell('connecting');
    this.#open();
  };

  #open(): void {
    this.#source?.close();
    clearTimeout(this.#timer);
    if (document.hidden) return;
    const source = new EventSource(addressOf(this.path));
    this.#source = source;
    source.addEventListener('ping', () => this.#hear());
    source.addEventListener('error', () => this.#lose());
    source.addEventListener('message', ({ data }) => {
      this.#isHeard = true;
      this.#hear();
      this.hearData(data as string);
    });
    this.#hear();
  }

  #hear(): void {
    this.#wait(SILENCE_MS, () => this.#lose());
  }

  #lose(): void {
    this.#source?.close();
    if (this.#isHeard) this.tell('lost');
    this.#isHeard = false;
    this.#wait(RETRY_MS, () => this.#open());
    void this.#explain();
  }

  /** A stream does not tell why it cannot be opened. */
  async #explain(): Promise<void> {
    const trouble = await troubleOf(this.path);
    if (this.#isOver || this.#isHeard) return;
    this.tell(trouble);
    if (trouble === 'gone') this.close();
  }

  #wait(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(then, ms);
  }
}

function keep(path: string, heard: Heard): void {
  latest.delete(path);
  latest.set(path, heard);
  const [oldest] = latest.keys();
  if (latest.size > MAX_LATEST && oldest !== undefined) latest.delete(oldest);
}
