import { useEffect, useState } from 'preact/hooks';
import { now } from './clock.js';
import { loading } from './connection.js';
import { copy } from './copy.js';
import { bytes, duration, Pill, plain } from './format.js';
import { html } from './html.js';
import { isOver } from './job-facts.js';
import { act, addressOf, type Job, type Payload, read, type Visitor } from './server.js';
import type { Stream } from './stream.js';
import { Details } from './details.js';
import { Timeline } from './timeline.js';
import { Tree } from './tree.js';

interface Props {
  readonly id: string;
  /** Of the job. */
  readonly stream: Stream;
  readonly visitor: Visitor;
  readonly say: (text: string) => void;
}

export function JobPage({ id, stream, visitor, say }: Props) {
  const [payload, setPayload] = useState<Payload | null>(null);
  const [trouble, setTrouble] = useState('');
  const isLive = stream.state === 'live';
  useEffect(() => {
    if (!isLive || payload) return;
    read<Payload>(`api/jobs/${id}/payload`).then(setPayload, (error: Error) => setTrouble(error.message));
  }, [id, isLive]);
  const job = stream.value as Job | null;
  if (!job)
    return html`<h1>Job</h1>
      <p class="empty">${loading(stream)}</p>`;
  const isGone = stream.state === 'gone';
  return html`${isGone && html`<p class="stale" role="status">${whyGone(job)} What you see is its last known state.</p>`}
    <${Head} job=${job} canAct=${visitor.access === 'operate' && !isGone} say=${say} />
    <div class="grid">
      <div>
        <section class="panel" aria-label="Timeline">
          <div class="bar"><h2>Timeline</h2></div>
          <${Timeline} job=${job} />
        </section>
        <section class="panel" aria-label="Details">
          <div class="bar"><h2>Details</h2></div>
          <${Details} job=${job} payload=${payload ?? {}} isWhole=${visitor.owner === null} />
        </section>
      </div>
      <${Values} job=${job} payload=${payload ?? {}} trouble=${payload ? '' : trouble} />
    </div>`;
}

/** By the last known state: while the tab was hidden, the job may have come to its end. */
function whyGone(job: Job): string {
  const { status, lastUpdatedAt } = job;
  const { completedMs, failedMs, canceledMs } = job.retention;
  const ms = { Completed: completedMs, Failed: failedMs, Canceled: canceledMs }[status];
  const gone = 'The store no longer has this job';
  if (ms === undefined) return `${gone}. Jobs are deleted when their retention has passed.`;
  const kept = `${status} jobs of this name are kept for ${duration(ms)} (retention).`;
  if (now() >= lastUpdatedAt + ms) return `${gone}. ${kept}`;
  return `${gone}, although ${kept} Somebody deleted it, or the store has lost data.`;
}

interface ValuesProps {
  readonly job: Job;
  readonly payload: Payload;
  /** Why the payload could not be read. */
  readonly trouble: string;
}

function Values({ job, payload: { payload, context }, trouble }: ValuesProps) {
  const isDone = job.status === 'Completed';
  return html`<div>
    ${job.error && html`<${Failure} title=${isOver(job) ? 'Error' : 'Last error'} error=${job.error} />`}
    ${!job.error && html`<${Value} title="Result" value=${job.result} none=${isOver(job) ? 'No result to show.' : 'No result yet.'} />`}
    <${Value}
      title="Payload"
      value=${payload}
      none=${trouble || (isDone ? 'The payload was deleted when the job completed.' : 'No payload to show.')}
    />
    ${context !== undefined && html`<${Value} title="Context" value=${context} none="" />`}
  </div>`;
}

function Head({ job, canAct, say }: Pick<Props, 'say'> & { job: Job; canAct: boolean }) {
  const run = (operation: string, done: string) => () =>
    act(operation, { targets: [job.id] }).then(
      ({ changed }) =>
        say(changed > 0 ? `The job was ${done}.` : 'Nothing changed: the job is in another state by now.'),
      (error: Error) => say(error.message),
    );
  const take = (what: string, text: string) => () =>
    void copy(text).then((isCopied) =>
      say(isCopied ? `${what} copied.` : `The browser does not allow copying. ${text}`),
    );
  // No quote may end the shell's string.
  const address = addressOf(`api/jobs/${job.id}`).href.replaceAll("'", '%27');
  const canRerun = job.status === 'Failed' || job.status === 'Canceled';
  return html`<div class="head">
    <h1>${plain(job.name)}</h1>
    <${Pill} status=${job.status} /><code>${job.id}</code>
    <div>
      <button onClick=${take('Id', job.id)}>Copy id</button
      ><button onClick=${take('Command', `curl -H 'accept: application/json' '${address}'`)}>Copy as curl</button>
      ${canAct && canRerun && html`<button class="primary" onClick=${run('rerun', 'queued again')}>Rerun</button>`}
      ${canAct && !isOver(job) && html`<button class="danger" onClick=${run('cancel', 'canceled')}>Cancel</button>`}
    </div>
  </div>`;
}

function Failure({
  title,
  error: { code, message = '', details },
}: {
  title: string;
  error: NonNullable<Job['error']>;
}) {
  return html`<section class="panel" aria-label=${title}>
    <div class="bar"><h2>${title}</h2></div>
    <div class="tree">
      <p><b class="fail">${plain(code)}</b></p>
      <p>${plain(message)}</p>
      ${details !== undefined && html`<${Tree} value=${details} />`}
    </div>
  </section>`;
}

/** Decoded JSON; `none` where there is no value, or none that may be shown. */
function Value({ title, value, none }: { title: string; value: unknown; none: string }) {
  const isThere = value !== undefined && value !== null;
  return html`<section class="panel" aria-label=${title}>
    <div class="bar">
      <h2>${title}</h2>
      ${isThere && html`<span class="pill dim">${bytes(value)}</span>`}
    </div>
    ${isThere ? html`<div class="tree"><${Tree} value=${value} /></div>` : html`<p class="empty">${none}</p>`}
  </section>`;
}
