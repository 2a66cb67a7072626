import { useState } from 'preact/hooks';
import { exactNumber } from './exact.js';
import { count, plain } from './format.js';
import { html } from './html.js';

/** So many entries of an object or list are drawn at once: a large value stays fast. */
const STEP = 100;
/** What is open at first: branches with few entries, near the root. Small branches within small branches add up. */
const OPEN_UP_TO = 20;
const OPEN_DEPTH = 2;
const TEXT = 500;
const TEXT_STEP = 20_000;

/** Decoded JSON as a tree. A closed branch draws nothing of what it holds. */
export function Tree({ value, name, depth = 0 }: { value: unknown; name?: string; depth?: number }) {
  const key = name === undefined ? '' : html`<span class="k">${plain(name)}</span>: `;
  const number = typeof value === 'string' ? exactNumber(value) : null;
  if (typeof value === 'string' && number === null) return html`<div>${key}<${Text} text=${value} /></div>`;
  if (typeof value !== 'object' || value === null)
    return html`<div>${key}<span class="n">${number ?? String(value)}</span></div>`;
  return html`<${Branch} value=${value} label=${key} depth=${depth} />`;
}

function Text({ text }: { text: string }) {
  const [most, setMost] = useState(TEXT);
  const json = JSON.stringify(text);
  return html`<span class="s">${plain(json, most)}</span>
    ${json.length > most && html` <button class="more" onClick=${() => setMost(most + TEXT_STEP)}>Show more</button>`}`;
}

function Branch({ value, label, depth }: { value: object; label: unknown; depth: number }) {
  const entries = Object.entries(value);
  const [isOpen, setOpen] = useState(depth === 0 || (depth < OPEN_DEPTH && entries.length <= OPEN_UP_TO));
  const [most, setMost] = useState(STEP);
  const noun = Array.isArray(value) ? 'item' : 'key';
  const size = `${count(entries.length)} ${noun}${entries.length === 1 ? '' : 's'}`;
  return html`<div>
    <button class="twig" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
      <i aria-hidden="true">${isOpen ? '▾' : '▸'}</i> ${label}<span class="dim">${size}</span>
    </button>
    ${
      isOpen &&
      html`<div class="branch">
        ${entries.slice(0, most).map(([name, item]) => html`<${Tree} key=${name} name=${name} value=${item} depth=${depth + 1} />`)}
        ${entries.length > most && html`<button class="more" onClick=${() => setMost(most + STEP)}>Show ${STEP} more</button>`}
      </div>`
    }
  </div>`;
}
