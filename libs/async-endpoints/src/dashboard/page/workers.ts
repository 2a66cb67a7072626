import { Age, count, plain } from './format.js';
import { html } from './html.js';
import type { Worker, WorkersSnapshot } from './server.js';

const HEADS = ['Worker', 'Slots used', 'Runs now', 'Handles', 'Started', 'Last heartbeat'];

export function Workers({ snapshot }: { snapshot: WorkersSnapshot }) {
  const { workers, isCut } = snapshot;
  return html`<h1>Workers</h1>
    <section class="panel" aria-label="Workers">
      ${
        workers.length === 0 &&
        html`<p class="empty">
          No worker is alive. Start a process with the role <code>all</code> or <code>worker</code>.
        </p>`
      }
      ${
        workers.length > 0 &&
        html`<div class="scroll" tabindex="0" role="region" aria-label="Table of workers">
          <table class="left">
            <thead>
              <tr>
                ${HEADS.map((text) => html`<th scope="col">${text}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${workers.map((worker) => html`<${Row} key=${worker.id} worker=${worker} isCut=${isCut} />`)}
            </tbody>
          </table>
        </div>`
      }
    </section>`;
}

function Row({ worker, isCut }: { worker: Worker; isCut: boolean }) {
  const { id, version, host, pid, slots, names, used, running } = worker;
  const more = used - running.length;
  return html`<tr>
    <td class="wrap">
      <b>${plain(id)}</b> <small>${plain(version)}</small><br /><small>${plain(host)} · pid ${pid}</small>
    </td>
    <td>
      ${isCut && 'at least '}${count(used)} of ${count(slots)}
      <progress max=${slots} value=${used} aria-label="Slots used"></progress>
    </td>
    <td class="wrap">
      ${running.length === 0 && html`<span class="zero">nothing</span>`}
      ${running.map(
        (job) =>
          html`<div key=${job.id}>
            <a href=${`#/jobs/${job.id}`}>${plain(job.name)}</a> <small>for <${Age} since=${job.startedAt} /></small>
          </div>`,
      )}
      ${more > 0 && html`<small>and ${count(more)} more</small>`}
    </td>
    <td class="wrap"><small>${plain(names.join(', '))}</small></td>
    <td><${Age} since=${worker.startedAt} /> ago</td>
    <td><${Age} since=${worker.heartbeatAt} /> ago</td>
  </tr>`;
}
