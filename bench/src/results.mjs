import { readFile, writeFile } from 'node:fs/promises';
import { DOCUMENTS, withTables } from './tables.mjs';

const ROOT = new URL('../../', import.meta.url);
const RESULTS = new URL('bench/results.json', ROOT);

/**
 * New rows replace rows of the same id, unless they failed. Other rows stay, with their date. A row keeps the ratios of the
 * two runs before it.
 */
export async function keep({ machine, rows }) {
  const measured = rows.filter(({ failed }) => !failed);
  const ids = new Set(measured.map(({ id }) => id));
  const { rows: before } = await read();
  const isSame = (a, b) => a.id === b.id && a.what === b.what;
  const withEarlier = measured.map((row) => {
    const last = before.find((one) => isSame(one, row));
    if (!last || last.ratio === null) return row;
    const { ratio, date, cpu } = last;
    return { ...row, earlier: [...(last.earlier ?? []), { ratio, date, cpu }].slice(-2) };
  });
  const kept = [...before.filter(({ id }) => !ids.has(id)), ...withEarlier].toSorted(byId);
  await writeFile(RESULTS, `${JSON.stringify({ machine, rows: kept }, null, 2)}\n`);
}

export async function read() {
  return JSON.parse(await readFile(RESULTS, 'utf8'));
}

/** The documents with outdated tables, each with its correct text. */
export async function outdated() {
  const results = await read();
  const documents = [];
  for (const document of Object.keys(DOCUMENTS)) {
    const text = await readFile(new URL(document, ROOT), 'utf8');
    const right = withTables(document, text, results);
    if (right !== text) documents.push({ document, text: right });
  }
  return documents;
}

export async function writeDocuments() {
  for (const { document, text } of await outdated()) await writeFile(new URL(document, ROOT), text);
}

export function byId(a, b) {
  return a.id.localeCompare(b.id, 'en', { numeric: true });
}
