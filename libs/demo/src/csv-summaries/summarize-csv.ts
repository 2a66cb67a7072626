import { PermanentJobError } from 'nestjs-async-endpoints';
import { Column } from './column.js';
import { readCsv } from './read-csv.js';
import type { CsvSummary } from './summarize-csv.job.js';

export interface SummaryControl {
  readonly signal: AbortSignal;
  /** Called every few milliseconds, with the fraction of the bytes read so far. */
  onProgress(fraction: number, rowCount: number): void;
}

/**
 * @throws PermanentJobError `CSV_EMPTY`, `CSV_INVALID` with the line; the signal's reason when it is aborted
 */
export async function summarizeCsv(csv: string, { signal, onProgress }: SummaryControl): Promise<CsvSummary> {
  let columns: Column[] | undefined;
  let rowCount = 0;
  await readCsv(csv, {
    signal,
    onRecord: (cells) => {
      if (columns === undefined) {
        columns = cells.map((name) => new Column(name));
        return;
      }
      rowCount++;
      for (const [index, column] of columns.entries()) column.add(cells[index] as string);
    },
    onProgress: (fraction) => onProgress(fraction, rowCount),
  });
  if (columns === undefined) {
    throw new PermanentJobError('The CSV is empty: it has not even a header line.', { code: 'CSV_EMPTY' });
  }
  return { rowCount, columns: columns.map((column) => column.summary()) };
}
