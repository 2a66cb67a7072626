import { readFile, writeFile } from 'node:fs/promises';
import { DOCUMENTS, withTables } from './tables.mjs';

const ROOT = new URL('../../', import.meta.url);
const RESULTS = new URL('bench/results.json', ROOT);

/** Rows that ran replace the rows of the same id, unless they failed; the others stay, with their date. */
export async function keep({ machine, rows }) {
  const measured = rows.filter(({ failed }) => !failed);
  const ids = new Set(measured.map(({ id }) => id));
  const { rows: before } = await read();
  const kept = [...before.filter(({ id }) => !ids.has(id)), ...measured].toSorted(byId);
  await writeFile(RESULTS, `${JSON.stringify({ machine, rows: kept }, null, 2)}\n`);
}

export async function read() {
  return JSON.parse(await readFile(RESULTS, 'utf8'));
}

/** The documents whose tables are not those of the results, with the text that they should have. */
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
  return Number(a.id.slice(1)) - Number(b.id.slice(1));
}
