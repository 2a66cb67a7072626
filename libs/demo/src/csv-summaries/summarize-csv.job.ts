import { defineJob } from 'nestjs-async-endpoints';
import type { ColumnType } from './cell-type.js';

export const MAXIMUM_CSV_BYTES = 10 * 1024 * 1024;

export interface SummarizeCsvRequest {
  readonly csv: string;
}

export interface ColumnSummary {
  readonly name: string;
  readonly type: ColumnType;
  /** Cells with something in them; `missing` are those without. */
  readonly count: number;
  readonly missing: number;
  /** How many different values, as written: `1` and `1.0` are two. */
  readonly distinct: number;
  /** The smallest number, earliest date or first text by code unit, long texts cut; `null` for booleans. */
  readonly min: number | string | null;
  readonly max: number | string | null;
  /** Of numbers only. */
  readonly mean: number | null;
  /** Of numbers only, of the sample (n − 1), so `null` for a single one. */
  readonly standardDeviation: number | null;
}

export interface CsvSummary {
  readonly rowCount: number;
  readonly columns: readonly ColumnSummary[];
}

export const SummarizeCsv = defineJob<SummarizeCsvRequest, CsvSummary>('SummarizeCsv', {
  // JSON writes a quote or a line break of the CSV as two bytes; the rest of the job is small.
  maximumPayloadBytes: 2 * MAXIMUM_CSV_BYTES + 64 * 1024,
  // Parsing keeps a processor busy, and there is one for all jobs of a process.
  concurrency: 2,
  // Each may hold 20 MB of the store's memory: few wait, and none stays for long.
  maximumQueueSize: 100,
  retention: { completedMs: 3_600_000, failedMs: 3_600_000, canceledMs: 3_600_000 },
});
