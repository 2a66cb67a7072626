/** The rows of the README, in this order: `what` of rows whose peer is BullMQ. */
const FEATURED = [
  'jobs worked per second',
  'submissions per second, 64 in flight',
  'API CPU per POST → 202, Fastify, beside BullMQ',
  'API CPU per status read, Fastify, beside BullMQ',
  'Redis CPU per job, by commandstats',
  'Redis memory per finished job',
  'Redis memory per queued job',
  'pickup by an idle worker, p50',
];

/** The Markdown that each document shows between `<!-- bench -->` and `<!-- /bench -->`. */
export const DOCUMENTS = {
  'README.md': ({ rows }) =>
    table(
      ['measured', 'ours', 'BullMQ', 'ours ÷ BullMQ', 'target'],
      FEATURED.map((what) => {
        const row = rows.find((one) => one.what === what);
        if (!row) throw new Error(`bench/results.json has no row '${what}', which README.md shows: run npm run bench`);
        return [what.replace(', beside BullMQ', ''), ...figuresOf(row), targetOf(row)];
      }),
    ),
  'bench/README.md': ({ machine, rows }) =>
    [
      `${machine.cores} × ${machine.cpu}, Node ${machine.node}, Redis ${machine.redis}, HTTP load by ${machine.load}:`,
      table(
        ['id', 'what', 'ours', 'peer', 'ratio', 'target', 'met', 'rounds', 'date'],
        rows
          .filter(({ failed }) => !failed)
          .map((row) => [
            row.id,
            row.what,
            ...figuresOf(row),
            row.target ?? '',
            metOf(row).toLowerCase(),
            row.rounds,
            row.date,
          ]),
      ),
      ...runs(rows),
    ].join('\n\n'),
};

const [BEGIN, END] = ['<!-- bench -->\n', '\n<!-- /bench -->'];

/** The document with the tables of these results. */
export function withTables(document, text, results) {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${document} has no lines <!-- bench --> and <!-- /bench -->`);
  return `${before}${BEGIN}\n${DOCUMENTS[document](results)}\n${END}${after}`;
}

export function figureOf({ unit, perSecond, ...figures }, side) {
  if (figures[side] === null) return '';
  const figure = `${short(figures[side])}${unit.startsWith('/') ? '' : ' '}${unit}`.trim();
  return perSecond ? `${figure} (${short(perSecond[side])}/s)` : figure;
}

export function ratioOf({ ratio, spread }) {
  if (ratio === null) return '';
  return spread ? `${short(ratio)} (${spread.map(short).join('–')})` : short(ratio);
}

export function metOf({ met }) {
  return met === null ? '' : met ? 'yes' : 'NO';
}

/** What rows that ran before have measured in their last three runs. */
function runs(rows) {
  const repeated = rows.filter(({ earlier }) => earlier);
  if (repeated.length === 0) return [];
  const heads = ['id', 'what', 'ratios', 'largest ÷ smallest', 'dates'];
  return ['The last three runs side by side, the latest last:', table(heads, repeated.map(runsOf))];
}

function runsOf({ id, what, ratio, date, earlier }) {
  const ratios = [...earlier.map((run) => run.ratio), ratio];
  const dates = [...new Set([...earlier.map((run) => run.date), date])];
  const apart = Math.max(...ratios) / Math.min(...ratios);
  return [id, what, ratios.map(short).join(', '), short(apart), dates.join(', ')];
}

function figuresOf(row) {
  return [figureOf(row, 'ours'), figureOf(row, 'peer'), ratioOf(row)];
}

function targetOf(row) {
  return `${row.target}${row.met ? '' : ', not met'}`;
}

function table(heads, rows) {
  const lines = [heads, ...rows].map((cells) => cells.map(String));
  const widths = heads.map((_, column) => Math.max(3, ...lines.map((cells) => cells[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(lines[0]), line(widths.map((width) => '-'.repeat(width))), ...lines.slice(1).map(line)].join('\n');
}

function short(value) {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
