import { cpus, loadavg, totalmem } from 'node:os';
import { generator } from './load/load.mjs';
import { median } from './rounds.mjs';
import { figureOf, metOf, ratioOf } from './tables.mjs';

const COLUMNS = ['id', 'what', 'ours', 'peer', 'ratio', 'target', 'met'];

/**
 * One row of the results. `ours` and `peer` are the values of each round; the row keeps their medians, and as `spread`
 * the smallest and the largest ratio of a round.
 *
 * @param target the target of the ratio ours ÷ peer, such as `['≥', 5]`
 * @param limit what `ours` alone must be, where the target is a number and not a peer
 * @param perSecond the throughput of both sides, where the row speaks of CPU time
 */
export function row(id, what, { ours, peer = [], unit = '', target, limit, perSecond, notes }) {
  const figures = { ours: middle(ours), peer: middle(peer) };
  const ratio = limit || !figures.peer ? null : figures.ours / figures.peer;
  const [bound, value] = limit ? [limit, figures.ours] : [target, ratio];
  return {
    id,
    what,
    unit,
    ...figures,
    ratio,
    spread: spreadOf(ours, peer),
    rounds: ours.length,
    target: bound?.join(' ') ?? null,
    met: bound ? (bound[0] === '≥' ? value >= bound[1] : value <= bound[1]) : null,
    ...(perSecond && { perSecond: { ours: middle(perSecond.ours), peer: middle(perSecond.peer) } }),
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model.trim(),
    ...(notes && { notes }),
  };
}

/** A row without figures, because its run failed. */
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

function cells(line) {
  const { id, what, target, failed } = line;
  if (failed) return [id, what, '', '', '', '', 'no'];
  return [id, what, figureOf(line, 'ours'), figureOf(line, 'peer'), ratioOf(line), target ?? '', metOf(line)];
}

function middle(values) {
  return values.length > 0 ? rounded(median(values)) : null;
}

function spreadOf(ours, peer) {
  if (ours.length < 2 || ours.length !== peer.length) return null;
  const ratios = ours.map((value, round) => value / peer[round]);
  return [Math.min(...ratios), Math.max(...ratios)].map(rounded);
}

/** Rounded, because a measurement has fewer than six significant digits. */
function rounded(value) {
  return Number(value.toPrecision(6));
}
