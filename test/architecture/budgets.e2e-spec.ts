import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import budgets from './budgets.json' with { type: 'json' };

const SOURCE = new URL('../../libs/async-endpoints/src', import.meta.url).pathname;
const IS_SPEC = /[.](spec|testing|properties|model)[.]ts$/;
const FILES = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !IS_SPEC.test(file))
  .map((file) => {
    const lines = readFileSync(join(SOURCE, file), 'utf8').trimEnd().split('\n');
    return { file, lines: lines.length, code: lines.filter((line) => !/^\s*($|\/\/|\/?\*|--)/.test(line)).length };
  });

interface Budget {
  readonly folders: readonly string[];
  readonly without?: readonly string[];
  readonly limit: number;
  readonly target: number;
}

const { product, recurring, memory, redis, sqlite, postgres } = budgets as Record<
  'product' | 'recurring' | 'memory' | 'redis' | 'sqlite' | 'postgres',
  Budget
>;
const isIn = (file: string, folders: readonly string[]) =>
  folders.some((folder) => folder === '.' || folder === file || file.startsWith(`${folder}/`));

/** As many as a folder has, and where most of them are: what to shorten when the budget is spent. */
function codeOf({ folders, without = [] }: Budget): { code: number; largest: string[] } {
  const counted = FILES.filter(({ file }) => isIn(file, folders) && !isIn(file, without));
  const largest = counted.toSorted((a, b) => b.code - a.code).slice(0, 10);
  return {
    code: counted.reduce((sum, { code }) => sum + code, 0),
    largest: largest.map(({ file, code }) => `${code} ${file}`),
  };
}

describe('The size of the package', () => {
  it.each([
    ['the product without stores, client, tool and test kit', product],
    ['recurring jobs, but for the stores', recurring],
    ['the memory store', memory],
    ['the Redis store with its Lua', redis],
    ['the SQLite store with its SQL', sqlite],
    ['the PostgreSQL store with its SQL', postgres],
  ])('keeps %s within its budget', (_, budget) => {
    const { code, largest } = codeOf(budget);
    expect(code, `the largest files: ${largest.join(', ')}`).toBeLessThanOrEqual(budget.limit);
  });

  it('adds no file of more than 200 lines', () => {
    const long = FILES.filter(({ lines }) => lines > 200).map(({ file, lines }) => `${lines} ${file}`);
    expect(long.length > budgets.filesOfMoreThan200Lines.limit ? long : []).toEqual([]);
  });

  it('keeps 90 % of the files short', () => {
    const { limit } = budgets.linesOfAFileAtTheNinetiethPercentile;
    const sorted = FILES.map(({ lines }) => lines).toSorted((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length * 0.9)]).toBeLessThanOrEqual(limit);
  });
});
