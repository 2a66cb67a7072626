import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const WIDTH = 1_200;
const ROW = 17;
const TOP = 48;
const LEAST = 1 / 300;
/** By what a frame belongs to. */
const COLORS = [
  ['this library', /async-endpoints\/(?:dist|src)\//, '#2f9e6e'],
  ['Nest', /@nestjs\//, '#e0575b'],
  ['Fastify', /\/(?:fastify|find-my-way|avvio|secure-json-parse|light-my-request|@fastify)/, '#8f7fe0'],
  [
    'Express',
    /\/(?:express|router|body-parser|finalhandler|on-finished|raw-body|send|path-to-regexp|parseurl)\//,
    '#8f7fe0',
  ],
  ['ioredis', /\/(?:ioredis|redis-parser|redis-errors|standard-as-callback)\//, '#d7872f'],
  ['Node and V8', /^(?:node:|$)/, '#7d8794'],
];
const OTHER = ['other packages', /./, '#b6a36a'];

/**
 * Draws a CPU profile of Node as a flame graph in SVG. Time in which the process had nothing to do is left out, and so are the start
 * of the application and frames of less than a third of a percent.
 */
export function flameGraph(profile, heading) {
  return draw(tree(profile), heading);
}

/** The same function below the same caller is one frame. */
function tree({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const root = { name: 'all', url: '', time: 0, children: new Map() };
  for (const [at, id] of samples.entries()) {
    const stack = [];
    for (let of = id; of !== undefined; of = parents.get(of)) stack.unshift(byId.get(of).callFrame);
    if (['(idle)', '(program)'].includes(stack.at(-1).functionName) || isStartup(stack)) continue;
    const time = Math.max(timeDeltas[at], 0);
    root.time += time;
    let frame = root;
    for (const { functionName, url, lineNumber } of stack.slice(1)) {
      const key = `${functionName} ${url}:${lineNumber}`;
      const child = frame.children.get(key) ?? {
        name: functionName || '(anonymous)',
        url: moduleOf(url, lineNumber),
        time: 0,
        children: new Map(),
      };
      frame.children.set(key, child);
      child.time += time;
      frame = child;
    }
  }
  return root;
}

const linesOf = new Map();

/** The compiled module of a line. The package joins its modules into few files, where a comment names each. */
function moduleOf(url, lineNumber) {
  const comment = /^\/\/ (libs\/async-endpoints\/dist\/.*)$/;
  if (!url.includes('/async-endpoints/dist/')) return url;
  if (!linesOf.has(url)) linesOf.set(url, readFileSync(fileURLToPath(url), 'utf8').split('\n'));
  const above = linesOf
    .get(url)
    .slice(0, lineNumber)
    .findLast((line) => comment.test(line));
  return above ? `/${comment.exec(above)[1]}` : url;
}

/** Loading modules, and starting the application. */
function isStartup(stack) {
  return stack.some(
    ({ functionName, url }) => /^node:internal\/(?:modules|bootstrap|main)/.test(url) || functionName === 'listen',
  );
}

function draw(root, heading) {
  const frames = [];
  const place = (frame, x, depth) => {
    frames.push({ ...frame, x, depth });
    let from = x;
    for (const child of [...frame.children.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (child.time >= root.time * LEAST) place(child, from, depth + 1);
      from += child.time;
    }
  };
  place(root, 0, 0);
  const depth = Math.max(...frames.map((frame) => frame.depth));
  const height = TOP + (depth + 1) * ROW + 10;
  const scale = (time) => (time / root.time) * WIDTH;
  const used = COLORS.filter((color) => frames.some((frame) => colorOf(frame) === color));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="8" y="18" font-size="14" font-weight="600">${escaped(heading)}</text>`,
    ...[...used, OTHER].map(([name, , fill], at) => legend(name, fill, 8 + at * 120)),
    ...frames.map((frame) =>
      box(frame, {
        x: scale(frame.x),
        y: height - 10 - (frame.depth + 1) * ROW,
        width: scale(frame.time),
        part: frame.time / root.time,
      }),
    ),
    '</svg>\n',
  ].join('\n');
}

function legend(name, fill, x) {
  return `<rect x="${x}" y="27" width="10" height="10" fill="${fill}"/><text x="${x + 14}" y="36">${name}</text>`;
}

function box(frame, { x, y, width, part }) {
  const where = frame.url.split(/\/node_modules\/|\/async-endpoints\/dist\/|\/bench\/src\//).at(-1);
  const fits = Math.floor((width - 6) / 6.2);
  const label = fits < 3 ? '' : frame.name.length > fits ? `${frame.name.slice(0, fits - 1)}…` : frame.name;
  const text = label && `<text x="${(x + 3).toFixed(1)}" y="${y + 12}" fill="#fff">${escaped(label)}</text>`;
  const hint = `<title>${escaped(`${frame.name}${where && ` (${where})`}: ${(part * 100).toFixed(1)} %`)}</title>`;
  return `<g>${hint}<rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(width - 0.5, 0.2).toFixed(1)}" height="${ROW - 1}" fill="${colorOf(frame)[2]}"/>${text}</g>`;
}

function colorOf({ name, url }) {
  if (name === 'all') return COLORS.at(-1);
  return COLORS.find(([, pattern]) => pattern.test(url)) ?? OTHER;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
