import { BadRequestException, Body, Controller, Headers, Post, UnsupportedMediaTypeException } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation } from '@nestjs/swagger';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { CsvSummary, SummarizeCsv, type SummarizeCsvRequest } from './summarize-csv.job.js';

@Controller('api/csv-summaries')
export class CsvSummariesController {
  /**
   * @param csv a string when the application has a parser for `text/csv`; other content types are parsed to other
   * values
   */
  @Post()
  @ApiOperation({ summary: 'Summarize a CSV' })
  @ApiConsumes('text/csv')
  @ApiBody({
    required: true,
    description: 'With a header line.',
    schema: { type: 'string', example: 'name,age\nAda,36\n' },
  })
  @AsyncEndpoint(SummarizeCsv, { resultType: CsvSummary })
  summarize(@Headers('content-type') type: string | undefined, @Body() csv: unknown): SummarizeCsvRequest {
    if (!/^\s*text\/csv\s*(;|$)/i.test(type ?? '') || typeof csv !== 'string') {
      throw new UnsupportedMediaTypeException('Send the CSV itself as the body, with Content-Type: text/csv.');
    }
    if (csv.trim() === '') throw new BadRequestException('The CSV is empty.');
    return { csv };
  }
}
