import { useState } from 'preact/hooks';
import { count, plain } from './format.js';
import { html } from './html.js';

/** So many entries of an object or list are drawn at once: a large value stays fast. */
const STEP = 100;
const OPEN_UP_TO = 20;

/** Decoded JSON as a tree. A closed branch draws nothing of what it holds. */
export function Tree({ value, name }: { value: unknown; name?: string }) {
  const key = name === undefined ? '' : html`<span class="k">${plain(name)}</span>: `;
  if (typeof value !== 'object' || value === null) {
    const tone = typeof value === 'string' ? 's' : 'n';
    return html`<div>${key}<span class=${tone}>${plain(JSON.stringify(value) ?? 'nothing')}</span></div>`;
  }
  return html`<${Branch} value=${value} label=${key} isRoot=${name === undefined} />`;
}

function Branch({ value, label, isRoot }: { value: object; label: unknown; isRoot: boolean }) {
  const entries = Object.entries(value);
  const [isOpen, setOpen] = useState(isRoot || entries.length <= OPEN_UP_TO);
  const [most, setMost] = useState(STEP);
  const size = `${count(entries.length)} ${Array.isArray(value) ? 'items' : 'keys'}`;
  return html`<div>
    <button class="twig" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
      ${isOpen ? '▾' : '▸'} ${label}<span class="dim">${size}</span>
    </button>
    ${isOpen && html`<div class="branch">${entries.slice(0, most).map(([name, item]) => html`<${Tree} key=${name} name=${name} value=${item} />`)}</div>`}
    ${isOpen && entries.length > most && html`<button onClick=${() => setMost(most + STEP)}>Show ${STEP} more</button>`}
  </div>`;
}
