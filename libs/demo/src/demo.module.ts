import { Module } from '@nestjs/common';
import { CsvSummariesController } from './csv-summaries/csv-summaries.controller.js';
import { SummarizeCsvHandler } from './csv-summaries/summarize-csv.handler.js';
import { HealthModule } from './health/health.module.js';
import { ProcessDataController } from './process-data/process-data.controller.js';
import { ProcessDataHandler } from './process-data/process-data.handler.js';
import { SleepController } from './sleep/sleep.controller.js';
import { SleepHandler } from './sleep/sleep.handler.js';
import { UnreliableController } from './unreliable/unreliable.controller.js';
import { UnreliableHandler } from './unreliable/unreliable.handler.js';

/** The handlers, for every process with a worker. */
@Module({ providers: [ProcessDataHandler, SummarizeCsvHandler, SleepHandler, UnreliableHandler] })
export class DemoJobsModule {}

/** The controllers, for every process with HTTP. */
@Module({
  imports: [HealthModule],
  controllers: [ProcessDataController, CsvSummariesController, SleepController, UnreliableController],
})
export class DemoApiModule {}
