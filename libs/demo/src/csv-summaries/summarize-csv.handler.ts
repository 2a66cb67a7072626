import { AsyncHandler, type JobContext, type JobHandler } from 'nestjs-async-endpoints';
import { summarizeCsv } from './summarize-csv.js';
import { type CsvSummary, SummarizeCsv, type SummarizeCsvRequest } from './summarize-csv.job.js';

@AsyncHandler(SummarizeCsv)
export class SummarizeCsvHandler implements JobHandler<typeof SummarizeCsv> {
  handle({ csv }: SummarizeCsvRequest, context: JobContext): Promise<CsvSummary> {
    return summarizeCsv(csv, {
      signal: context.signal,
      onProgress: (fraction, rowCount) => void context.progress(fraction, `parsed ${rowCount} rows`),
    });
  }
}
