import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { CsvError, parse } from 'csv-parse';
import { brokenCsv } from './broken-csv.js';

/** Small enough that other requests and jobs can run every few milliseconds. */
const CHUNK_BYTES = 32 * 1024;

export interface CsvReading {
  readonly signal: AbortSignal;
  /** Called for the header first. Cells are trimmed unless quoted. Empty lines are skipped. */
  onRecord(cells: string[]): void;
  /** @param fraction the fraction of the bytes read so far */
  onProgress(fraction: number): void;
}

/**
 * Streams a CSV through the parser, a chunk per turn of the event loop.
 *
 * @throws PermanentJobError `CSV_INVALID`, with the line; the signal's reason when it is aborted
 */
export async function readCsv(csv: string, { signal, onRecord, onProgress }: CsvReading): Promise<void> {
  signal.throwIfAborted();
  const parser = parse({
    bom: true,
    trim: true,
    skip_empty_lines: true,
    // All are listed, because the parser would otherwise use the delimiter of the first line for all lines.
    record_delimiter: ['\r\n', '\n', '\r'],
  });
  const consume = async (records: AsyncIterable<string[]>): Promise<void> => {
    for await (const cells of records) onRecord(cells);
  };
  try {
    await pipeline(chunks(csv, onProgress), parser, consume, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof CsvError ? brokenCsv(csv, error, parser.info.records) : error;
  }
}

async function* chunks(csv: string, onProgress: CsvReading['onProgress']): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(csv);
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    const end = Math.min(start + CHUNK_BYTES, bytes.length);
    yield bytes.subarray(start, end);
    onProgress(end / bytes.length);
    await setImmediate();
  }
}
