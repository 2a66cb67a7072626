import { readFile, writeFile } from 'node:fs/promises';
import { TEMPLATES } from './matrix.mjs';

const HEAD = ['CLI', 'modules', 'installed with', 'ioredis', 'built or tested with'];
const SEEN = /These results were seen on .*?\.(?=\s)(?! *\d)/s;
const TABLE = /(?:^\|.*\|\n)+/m;

/** @returns the Node.js versions of all installations, each once */
export function columns(installations) {
  return [...new Set(installations.flatMap(({ nodes }) => nodes))];
}

/** @returns Markdown */
export function table(rows, nodes) {
  const versions = [...nodes.values()].map(({ version }) => `Node.js ${version.slice(1)}`);
  const lines = rows.map((row) => [...keyOf(row), ...[...nodes.keys()].map((node) => row.cells.get(node) ?? '')]);
  return markdown([...HEAD, ...versions], lines);
}

/** Puts the results into the document's table. Rows that were not run stay as they are. */
export async function writeTable(document, rows, nodes) {
  const text = await readFile(document, 'utf8');
  const [head, , ...lines] = TABLE.exec(text)[0].trim().split('\n').map(cellsOf);
  const results = new Map(lines.map((line) => [line.slice(0, HEAD.length).join(), line]));
  for (const row of rows) results.set(keyOf(row).join(), [...keyOf(row), ...row.cells.values()]);
  const versions = [...nodes.values()].map(({ version }) => version.slice(1, version.lastIndexOf('.')));
  const seen = `These results were seen on ${new Date().toISOString().slice(0, 10)} with Node.js ${versions.join(', ')}.`;
  await writeFile(document, text.replace(SEEN, seen).replace(TABLE, `${markdown(head, [...results.values()])}\n`));
}

function keyOf({ installation: { template, manager, ioredis }, what }) {
  return [template, TEMPLATES[template].modules, manager, ioredis, what].map(String);
}

function cellsOf(line) {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function markdown(head, lines) {
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
