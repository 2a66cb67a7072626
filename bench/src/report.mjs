import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { generator } from './load/load.mjs';

const COLUMNS = ['id', 'what', 'ours', 'peer', 'ratio', 'target', 'met'];
const RESULTS = fileURLToPath(new URL('../results.json', import.meta.url));

/**
 * One line of the table. Its ratio is ours ÷ peer; `target` is such as `['≥', 5]`, or null where a line only informs.
 * Where a target is a limit and not a peer, `peer` is what it is compared with: the same thing at a small size.
 */
export function row(id, what, { ours, peer, unit = '', target, notes }) {
  const ratio = ours / peer;
  const met = target === null ? null : target[0] === '≥' ? ratio >= target[1] : ratio <= target[1];
  return { id, what, ours, peer, unit, ratio, target: target?.join(' ') ?? null, met, notes };
}

/** The line of a row whose run was not right: no figure. */
export function failure(id, error) {
  return { id, what: `FAILED: ${error.message.split('\n')[0]}`, failed: true, error: error.stack };
}

export function machineFacts(redisVersion) {
  return {
    cpu: cpus()[0]?.model.trim(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    redis: redisVersion,
    load: generator,
    platform: `${process.platform} ${process.arch}`,
    loadAverage: loadavg().map((load) => Math.round(load * 100) / 100),
    date: new Date().toISOString(),
  };
}

export function print(rows, machine, quick) {
  const lines = [COLUMNS, ...rows.map(cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  console.log(`\n${text[0]}\n${widths.map((width) => '-'.repeat(width)).join('  ')}\n${text.slice(1).join('\n')}`);
  const { cores, cpu, memoryGiB, node, redis, load, loadAverage } = machine;
  console.log(
    `\n${cores} × ${cpu}, ${memoryGiB} GiB, Node ${node}, Redis ${redis}, HTTP load by ${load}, load average before ${loadAverage.join(' ')}`,
  );
  if (quick) console.log('A quick run: it shows that the benchmark works. Its figures say nothing.');
}

export function write(results) {
  return writeFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
}

function cells({ id, what, ours, peer, unit, ratio, target, met, failed }) {
  if (failed) return [id, what, '', '', '', '', 'no'];
  const verdict = met === null ? '' : met ? 'yes' : 'NO';
  return [
    id,
    what,
    `${short(ours)} ${unit}`.trim(),
    `${short(peer)} ${unit}`.trim(),
    short(ratio),
    target ?? '',
    verdict,
  ];
}

function short(value) {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
