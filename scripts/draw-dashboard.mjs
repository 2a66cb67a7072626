// Draws the Grafana dashboard as an SVG from what a Prometheus has, for docs/observability.md:
//
//   node scripts/draw-dashboard.mjs http://127.0.0.1:9090 docs/dashboard.svg 300 [until]    # 300 s until now, or until then
import { readFile, writeFile } from 'node:fs/promises';

const [prometheus, target, seconds, until] = process.argv.slice(2);
if (!seconds) throw new Error('Expected: node scripts/draw-dashboard.mjs <url of Prometheus> <file> <seconds> [until]');

const COLUMN = 52;
const ROW = 28;
const POINTS = 60;
const LEGENDS = 5;
const LONGEST = 30;
const COLORS = ['#5794f2', '#73bf69', '#f2cc0c', '#ff780a', '#b877d9', '#f2495c', '#8ab8ff', '#96d98d'];
const file = new URL('../deploy/monitoring/grafana/async-endpoints.json', import.meta.url);
const { title: heading, panels } = JSON.parse(await readFile(file, 'utf8'));
const to = Number(until ?? Math.floor(Date.now() / 1_000));
const from = to - Number(seconds);
const step = Number(seconds) / POINTS;

async function seriesOf({ expr, legendFormat }) {
  const query = expr.replaceAll('$__rate_interval', '30s').replaceAll(/\$(job_name|namespace)/g, '.*');
  const parameters = new URLSearchParams({ query, start: from, end: to, step });
  const { data, error } = await (await fetch(`${prometheus}/api/v1/query_range?${parameters}`)).json();
  if (error) throw new Error(`${query}: ${error}`);
  return data.result.map(({ metric, values }) => ({
    name: legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? '').trim(),
    points: values.map(([at, text]) => [at, Number(text)]).filter(([, value]) => Number.isFinite(value)),
  }));
}

function write(value, unit) {
  if (unit === 'percentunit') return `${Math.round(value * 100)} %`;
  if (unit === 'bytes')
    return value >= 2 ** 30 ? `${(value / 2 ** 30).toFixed(1)} GiB` : `${Math.round(value / 2 ** 20)} MiB`;
  if (unit === 's')
    return value >= 1 || value === 0
      ? `${Number(value.toPrecision(3))} s`
      : `${Number((value * 1_000).toPrecision(3))} ms`;
  return `${Number(value.toPrecision(3))}${unit === 'ops' ? '/s' : ''}`;
}

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function draw({ title, gridPos: { x, y, w, h }, fieldConfig }, series) {
  const { unit } = fieldConfig.defaults;
  const [left, top, width, height] = [x * COLUMN + 4, y * ROW + 44, w * COLUMN - 8, h * ROW - 8];
  const [x0, y0, plotWidth, plotHeight] = [left + 58, top + 32, width - 70, height - 86];
  const highest = Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value)), 0) || 1;
  const lines = series.map(({ points }, index) => {
    const path = points.map(([at, value], i) => {
      const [px, py] = [x0 + ((at - from) / (to - from)) * plotWidth, y0 + plotHeight * (1 - value / highest)];
      // Missing values are a gap.
      const isFirst = i === 0 || at - points[i - 1][0] > 1.5 * step;
      return `${isFirst ? 'M' : 'L'}${px.toFixed(0)} ${py.toFixed(1)}`;
    });
    return `<path d="${path.join('')}" fill="none" stroke="${COLORS[index % COLORS.length]}" stroke-width="1.5"/>`;
  });
  const legends = series.slice(0, LEGENDS + 1).map(({ name, points }, index) => {
    const [px, py] = [left + 12 + (index % 2) * (width / 2), y0 + plotHeight + 18 + Math.floor(index / 2) * 15];
    if (index === LEGENDS && series.length > LEGENDS + 1)
      return `<text x="${px}" y="${py}">and ${series.length - LEGENDS} more</text>`;
    const text = `${name} ${write(points.at(-1)?.[1] ?? 0, unit)}`;
    return `<rect x="${px}" y="${py - 7}" width="9" height="4" fill="${COLORS[index % COLORS.length]}"/><text x="${px + 14}" y="${py}">${escape(text.slice(0, LONGEST))}</text>`;
  });
  const scale = [0, 0.5, 1].map((part) => {
    const py = y0 + plotHeight * (1 - part);
    return `<path d="M${x0} ${py}h${plotWidth}" stroke="#2f3338"/><text x="${x0 - 6}" y="${py + 4}" text-anchor="end">${write(highest * part, unit)}</text>`;
  });
  return `<rect x="${left}" y="${top}" width="${width}" height="${height}" rx="3" fill="#181b1f"/><text x="${left + 12}" y="${top + 20}" class="t">${escape(title)}</text>${scale.join('')}${lines.join('')}${legends.join('')}`;
}

const drawn = [];
for (const panel of panels) drawn.push(draw(panel, (await Promise.all(panel.targets.map(seriesOf))).flat()));
const bottom = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) * ROW + 48;
await writeFile(
  target,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${24 * COLUMN} ${bottom}" font-family="sans-serif" font-size="11" fill="#c7d0d9"><style>.t{font-size:13px;font-weight:bold}</style><rect width="100%" height="100%" fill="#111217"/><text x="16" y="28" font-size="18">${heading}</text>
${drawn.join('\n')}
</svg>
`,
);
