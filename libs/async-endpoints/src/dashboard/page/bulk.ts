import { useEffect, useRef, useState } from 'preact/hooks';
import { count } from './format.js';
import { html } from './html.js';
import { act, read, type Step } from './server.js';

interface Props {
  readonly query: string;
  readonly selected: ReadonlySet<string>;
  readonly say: (text: string) => void;
  readonly done: () => void;
}

interface Progress {
  readonly text: string;
  readonly fraction: number;
}

/** Counts all jobs that match, or takes the selected ones; then acts on at most 1,000 in a request, until it is stopped. */
export function Bulk({ query, selected, say, done }: Props) {
  const [matching, setMatching] = useState<number | null>(null);
  const [progress, setProgress] = useState<Progress | null>(null);
  const isStopped = useRef(false);
  useEffect(() => {
    setMatching(null);
    // An action without its button to stop it must not go on.
    return () => void (isStopped.current = true);
  }, [query]);
  const work = (task: () => Promise<void>) => () => {
    isStopped.current = false;
    void task()
      .catch((error: Error) => say(error.message))
      .finally(() => setProgress(null));
  };
  const find = work(async () => {
    let all = 0;
    for await (const step of countSteps(query)) {
      all += step;
      setProgress({ text: `Counting: ${count(all)} jobs`, fraction: 0 });
      if (isStopped.current) return;
    }
    setMatching(all);
  });
  const most = matching ?? selected.size;
  const change = (operation: string) =>
    work(async () => {
      let [changed, seen] = [0, 0];
      const steps = matching === null ? stepsOf(operation, [...selected]) : stepsOfFilter(operation, query);
      for await (const step of steps) {
        changed += step.changed;
        seen += step.seen;
        setProgress({ text: `${count(seen)} of ${count(most)} jobs`, fraction: Math.min(seen / most, 1) });
        if (isStopped.current) break;
      }
      const verb = operation === 'cancel' ? 'canceled' : 'queued again';
      say(`${isStopped.current ? 'Stopped: ' : ''}${count(changed)} of ${count(seen)} jobs ${verb}.`);
      setMatching(null);
      done();
    });
  if (progress)
    return html`<div class="bar bulk">
      <span role="status">${progress.text}</span>
      <progress max="1" value=${progress.fraction} aria-label="Progress of the action"></progress>
      <button onClick=${() => (isStopped.current = true)}>Stop</button>
    </div>`;
  const jobs = most === 0 ? '' : ` ${count(most)}`;
  return html`<div class="bar bulk">
    <span role="status"
      >${matching === null ? `${count(selected.size)} selected` : `${count(matching)} jobs match`}</span
    >
    ${matching === null && html`<button onClick=${find}>Select all that match</button>`}
    ${matching !== null && html`<button onClick=${() => setMatching(null)}>Back</button>`}
    <button disabled=${most === 0} onClick=${change('rerun')}>Rerun${jobs}</button>
    <button class="danger" disabled=${most === 0} onClick=${change('cancel')}>Cancel jobs${jobs}</button>
  </div>`;
}

async function* countSteps(query: string): AsyncGenerator<number, void> {
  const parameters = new URLSearchParams(query);
  parameters.delete('cursor');
  for (let next: string | null = ''; next !== null;) {
    if (next !== '') parameters.set('cursor', next);
    const step: { count: number; cursor: string | null } = await read(`api/count?${parameters}`);
    yield step.count;
    next = step.cursor;
  }
}

async function* stepsOf(operation: string, targets: readonly string[]): AsyncGenerator<Step, void> {
  yield await act(operation, { targets });
}

async function* stepsOfFilter(operation: string, query: string): AsyncGenerator<Step, void> {
  const filter = Object.fromEntries(new URLSearchParams(query));
  delete filter['cursor'];
  for (let next: string | null = ''; next !== null;) {
    const step: Step = await act(operation, { filter: next === '' ? filter : { ...filter, cursor: next } });
    yield step;
    next = step.cursor;
  }
}
