import { ApiProperty } from '@nestjs/swagger';
import { defineJob } from 'nestjs-async-endpoints';
import { COLUMN_TYPES, type ColumnType } from './cell-type.js';

export const MAXIMUM_CSV_BYTES = 10 * 1024 * 1024;

export interface SummarizeCsvRequest {
  readonly csv: string;
}

const NUMBER_OR_TEXT = [{ type: 'number', nullable: true }, { type: 'string' }];

export class ColumnSummary {
  @ApiProperty()
  readonly name!: string;

  @ApiProperty({ enum: COLUMN_TYPES })
  readonly type!: ColumnType;

  @ApiProperty({ type: 'integer', description: 'Cells with something in them.' })
  readonly count!: number;

  @ApiProperty({ type: 'integer', description: 'Cells without.' })
  readonly missing!: number;

  @ApiProperty({ type: 'integer', description: 'How many different values, as written: `1` and `1.0` are two.' })
  readonly distinct!: number;

  @ApiProperty({
    anyOf: NUMBER_OR_TEXT,
    description: 'The smallest number, earliest date or first text by code unit, cut when long; `null` for booleans.',
  })
  readonly min!: number | string | null;

  @ApiProperty({ anyOf: NUMBER_OR_TEXT, description: 'As `min`, at the other end.' })
  readonly max!: number | string | null;

  @ApiProperty({ type: 'number', nullable: true, description: 'Of numbers only.' })
  readonly mean!: number | null;

  @ApiProperty({ type: 'number', nullable: true, description: 'Of numbers only; of the sample (n − 1).' })
  readonly standardDeviation!: number | null;
}

export class CsvSummary {
  @ApiProperty({ type: 'integer' })
  readonly rowCount!: number;

  @ApiProperty({ type: [ColumnSummary] })
  readonly columns!: readonly ColumnSummary[];
}

export const SummarizeCsv = defineJob<SummarizeCsvRequest, CsvSummary>('SummarizeCsv', {
  // JSON writes a quote or a line break of the CSV as two bytes; the rest of the job is small.
  maxPayloadBytes: 2 * MAXIMUM_CSV_BYTES + 64 * 1024,
  // Parsing needs CPU, and all jobs of a process share one thread.
  concurrency: 2,
  // Each may take 20 MB of the store's memory, so few may wait, and they are kept only for a short time.
  maxQueueSize: 100,
  retention: { completedMs: 3_600_000, failedMs: 3_600_000, canceledMs: 3_600_000 },
});
