import { useEffect, useState } from 'preact/hooks';
import { now } from './clock.js';
import { type Job, read, Refusal } from './server.js';

/** A page of the list, as it was read. */
export interface Page {
  readonly jobs: readonly Job[];
  readonly cursor: string | null;
  /** The query that it answers. */
  readonly query: string;
  /** When it was read. */
  readonly at: number;
}

/** How many empty pages are passed over at once. */
const MAX_LOOKS = 50;
/** How long after a failure the list is read again. */
const RETRY_MS = 5_000;

/**
 * Reads the list for a query. After a failure it keeps the page of the same query, and reads again unless the server refuses it.
 *
 * @param heard called with each page that was read
 */
export function useJobList(query: string, heard: () => void) {
  const [page, setPage] = useState<Page | null>(null);
  const [trouble, setTrouble] = useState<Error | null>(null);
  const [version, setVersion] = useState(0);
  const refresh = () => setVersion((known) => known + 1);
  useEffect(() => {
    let isCurrent = true;
    const show = (next: (known: Page | null) => Page | null, error: Error | null) => {
      if (!isCurrent) return;
      setPage(next);
      setTrouble(error);
      if (!error) heard();
    };
    firstJobs(query, () => isCurrent).then(
      (answer) => show(() => answer, null),
      // The jobs of another filter would look like those of this one.
      (error: Error) => show((known) => (known?.query === query ? known : null), error),
    );
    return () => void (isCurrent = false);
  }, [query, version]);
  useEffect(() => {
    if (!trouble || (trouble instanceof Refusal && trouble.status < 500)) return;
    const timer = setInterval(() => document.hidden || refresh(), RETRY_MS);
    return () => clearInterval(timer);
  }, [trouble]);
  return { page, trouble, version, refresh };
}

/** A page with jobs. A filter by owner and error code may answer with empty pages before it. */
async function firstJobs(query: string, isCurrent: () => boolean): Promise<Page> {
  const parameters = new URLSearchParams(query);
  let page = await read<Page>(`api/jobs?${parameters}`);
  for (let looks = 1; page.jobs.length === 0 && page.cursor !== null && looks < MAX_LOOKS && isCurrent(); looks++) {
    parameters.set('cursor', page.cursor);
    page = await read<Page>(`api/jobs?${parameters}`);
  }
  return { ...page, query, at: now() };
}
