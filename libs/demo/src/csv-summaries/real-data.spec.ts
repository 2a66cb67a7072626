import { readFileSync } from 'node:fs';
import type { ColumnSummary, CsvSummary } from './summarize-csv.job.js';
import { summarizeCsv } from './summarize-csv.js';

/** Real data of the vega-datasets package, against figures worked out without the parser and in two passes. */
const DATA = new URL('../../../../node_modules/vega-datasets/data/', import.meta.url);

function dataSet(name: string): string {
  return readFileSync(new URL(name, DATA), 'utf8');
}

function summaryOf(csv: string): Promise<CsvSummary> {
  return summarizeCsv(csv, { signal: new AbortController().signal, onProgress: () => {} });
}

/** Of a file without quotes. */
function columnsBySplitting(csv: string): Map<string, string[]> {
  expect(csv).not.toContain('"');
  const [header = [], ...rows] = csv
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.split(','));
  return new Map(header.map((name, index) => [name, rows.map((row) => (row[index] as string).trim())]));
}

function quote(value: string | number | null | undefined): string {
  return `"${String(value ?? '').replaceAll('"', '""')}"`;
}

function counted(cells: string[]): Pick<ColumnSummary, 'count' | 'missing' | 'distinct'> {
  const present = cells.filter((cell) => cell !== '').toSorted();
  const distinct = present.filter((cell, index) => cell !== present[index - 1]).length;
  return { count: present.length, missing: cells.length - present.length, distinct };
}

function measured(values: number[]): Pick<ColumnSummary, 'min' | 'max' | 'mean' | 'standardDeviation'> {
  const mean = sum(values) / values.length;
  const variance = sum(values.map((value) => (value - mean) ** 2)) / (values.length - 1);
  const sorted = values.toSorted((a, b) => a - b);
  return {
    min: sorted[0] as number,
    max: sorted.at(-1) as number,
    mean: almost(mean),
    standardDeviation: almost(Math.sqrt(variance)),
  };
}

/** With compensation for what each addition rounds away. */
function sum(values: number[]): number {
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const corrected = value - lost;
    const next = total + corrected;
    lost = next - total - corrected;
    total = next;
  }
  return total;
}

/** To eleven digits. */
function almost(value: number): number {
  return expect.closeTo(value, 11 - Math.ceil(Math.log10(Math.abs(value)))) as number;
}

function ordered(cells: string[]): Pick<ColumnSummary, 'min' | 'max' | 'mean' | 'standardDeviation'> {
  const sorted = cells.filter((cell) => cell !== '').toSorted();
  return { min: sorted[0] ?? null, max: sorted.at(-1) ?? null, mean: null, standardDeviation: null };
}

function expected(columns: Map<string, string[]>, types: Record<string, ColumnSummary['type']>): ColumnSummary[] {
  return Object.entries(types).map(([name, type]) => {
    const cells = columns.get(name) as string[];
    const isNumeric = type === 'integer' || type === 'number';
    const figures = isNumeric ? measured(cells.filter((cell) => cell !== '').map(Number)) : ordered(cells);
    return { name, type, ...counted(cells), ...figures };
  });
}

describe('The summary of', () => {
  it('42,049 American zip codes', async () => {
    const csv = dataSet('zipcodes.csv');
    const summary = await summaryOf(csv);
    expect(summary.rowCount).toBe(42_049);
    expect(summary.columns).toEqual(
      expected(columnsBySplitting(csv), {
        zip_code: 'integer',
        latitude: 'number',
        longitude: 'number',
        city: 'text',
        state: 'text',
        county: 'text',
      }),
    );
  });

  it('habitats of species in 12,000 counties', async () => {
    const csv = dataSet('species.csv');
    const columns = columnsBySplitting(csv);
    const summary = await summaryOf(csv);
    expect(summary.rowCount).toBe(columns.get('item_id')?.length);
    expect(summary.rowCount).toBeGreaterThan(12_000);
    expect(summary.columns).toEqual(
      expected(columns, {
        item_id: 'text',
        common_name: 'text',
        scientific_name: 'text',
        gap_species_code: 'text',
        county_id: 'integer',
        habitat_yearround_pct: 'number',
      }),
    );
  });

  it('10,000 bird strikes, with dates and CRLF', async () => {
    const csv = dataSet('birdstrikes.csv');
    expect(csv).toContain('\r\n');
    const summary = await summaryOf(csv);
    expect(summary.rowCount).toBe(10_000);
    const types = {
      'Airport Name': 'text',
      'Aircraft Make Model': 'text',
      'Effect Amount of damage': 'text',
      'Flight Date': 'date',
      'Aircraft Airline Operator': 'text',
      'Origin State': 'text',
      'Phase of flight': 'text',
      'Wildlife Size': 'text',
      'Wildlife Species': 'text',
      'Time of day': 'text',
      'Cost Other': 'integer',
      'Cost Repair': 'integer',
      'Cost Total $': 'integer',
      'Speed IAS in knots': 'integer',
    } as const;
    expect(summary.columns).toEqual(expected(columnsBySplitting(csv), types));
  });

  it('3,201 films, written as CSV from their JSON, with quotes and gaps', async () => {
    const films = JSON.parse(dataSet('movies.json')) as Record<string, string | number | null>[];
    const names = Object.keys(films[0] as object);
    const csv = [names, ...films.map((film) => names.map((name) => film[name]))];
    const summary = await summaryOf(csv.map((row) => row.map(quote).join(',')).join('\n'));
    expect(summary.rowCount).toBe(films.length);
    for (const name of ['US Gross', 'Running Time min', 'Rotten Tomatoes Rating', 'IMDB Rating', 'IMDB Votes']) {
      const values = films.map((film) => film[name]).filter((value) => typeof value === 'number');
      expect(summary.columns.find((column) => column.name === name)).toMatchObject({
        type: values.every((value) => Number.isInteger(value)) ? 'integer' : 'number',
        ...counted(films.map((film) => String(film[name] ?? ''))),
        ...measured(values),
      });
    }
    const directors = films.map((film) => String(film['Director'] ?? ''));
    expect(summary.columns.find(({ name }) => name === 'Director')).toMatchObject({
      type: 'text',
      ...counted(directors),
      ...ordered(directors),
    });
  });
});
