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
  const { progress, work, stop } = useWork(query, say);
  useEffect(() => setMatching(null), [query]);
  const most = matching ?? selected.size;
  const find = work(async (goesOn) => {
    let all = 0;
    for await (const step of countSteps(query)) {
      all += step;
      if (!goesOn({ text: `Counting: ${count(all)} jobs`, fraction: 0 })) return;
    }
    setMatching(all);
  });
  const change = (operation: 'cancel' | 'rerun') =>
    work(async (goesOn) => {
      const steps = matching === null ? selectedSteps(operation, selected) : matchingSteps(operation, query);
      say(await changeAll(operation, steps, most, goesOn));
      setMatching(null);
      done();
    });
  if (progress) return html`<${Working} progress=${progress} stop=${stop} />`;
  const jobs = most === 0 ? '' : ` ${count(most)}`;
  return html`<div class="bar bulk">
    <span role="status"
      >${matching === null ? `${count(selected.size)} selected` : `${count(matching)} jobs match`}</span
    >
    ${matching === null ? html`<button onClick=${find}>Select all that match</button>` : html`<button onClick=${() => setMatching(null)}>Unselect</button>`}
    <button disabled=${most === 0} onClick=${change('rerun')}>Rerun${jobs}</button>
    <button class="danger" disabled=${most === 0} onClick=${change('cancel')}>Cancel jobs${jobs}</button>
  </div>`;
}

function Working({ progress: { text, fraction }, stop }: { progress: Progress; stop: () => void }) {
  return html`<div class="bar bulk">
    <span role="status">${text}</span>
    <progress max="1" value=${fraction} aria-label="Progress of the action"></progress>
    <button onClick=${stop}>Stop</button>
  </div>`;
}

/** Shows how far the work is. @returns whether nobody has stopped it */
type GoesOn = (progress: Progress) => boolean;

/** Work in steps, which its button stops, and also who leaves the view: it must not go on without a button to stop it. */
function useWork(query: string, say: Props['say']) {
  const [progress, setProgress] = useState<Progress | null>(null);
  const isStopped = useRef(false);
  const stop = () => void (isStopped.current = true);
  useEffect(() => stop, [query]);
  const goesOn = (next: Progress): boolean => {
    setProgress(next);
    return !isStopped.current;
  };
  const work = (task: (goesOn: GoesOn) => Promise<void>) => () => {
    isStopped.current = false;
    void task(goesOn)
      .catch((error: Error) => say(error.message))
      .finally(() => setProgress(null));
  };
  return { progress, work, stop };
}

/** @returns what to tell */
async function changeAll(
  operation: 'cancel' | 'rerun',
  steps: AsyncIterable<Step>,
  most: number,
  goesOn: GoesOn,
): Promise<string> {
  let [changed, seen] = [0, 0];
  let before = '';
  try {
    for await (const step of steps) {
      changed += step.changed;
      seen += step.seen;
      if (goesOn({ text: `${count(seen)} of ${count(most)} jobs`, fraction: Math.min(seen / most, 1) })) continue;
      before = 'Stopped: ';
      break;
    }
  } catch (error) {
    if (seen === 0) throw error;
    before = `${(error as Error).message} Before that: `;
  }
  const verb = operation === 'cancel' ? 'canceled' : 'queued again';
  return `${before}${count(changed)} of ${count(seen)} jobs ${verb}.`;
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

async function* selectedSteps(operation: string, selected: ReadonlySet<string>): AsyncGenerator<Step, void> {
  yield await act(operation, { targets: [...selected] });
}

async function* matchingSteps(operation: string, query: string): AsyncGenerator<Step, void> {
  const filter = Object.fromEntries(new URLSearchParams(query));
  delete filter['cursor'];
  for (let next: string | null = ''; next !== null;) {
    const step: Step = await act(operation, { filter: next === '' ? filter : { ...filter, cursor: next } });
    yield step;
    next = step.cursor;
  }
}
