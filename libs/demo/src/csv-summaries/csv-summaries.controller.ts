import { BadRequestException, Body, Controller, Headers, Post, UnsupportedMediaTypeException } from '@nestjs/common';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { SummarizeCsv, type SummarizeCsvRequest } from './summarize-csv.job.js';

@Controller('api/csv-summaries')
export class CsvSummariesController {
  /** @param csv a string where the application has a parser for `text/csv`; other types are parsed to other things */
  @Post()
  @AsyncEndpoint(SummarizeCsv)
  summarize(@Headers('content-type') type: string | undefined, @Body() csv: unknown): SummarizeCsvRequest {
    if (!/^\s*text\/csv\s*(;|$)/i.test(type ?? '') || typeof csv !== 'string') {
      throw new UnsupportedMediaTypeException('Send the CSV itself as the body, with Content-Type: text/csv.');
    }
    if (csv.trim() === '') throw new BadRequestException('The CSV is empty.');
    return { csv };
  }
}
