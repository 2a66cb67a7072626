// Imported first, before modules that may log a warning while they are loaded.
// oxlint-disable-next-line import/no-unassigned-import -- it formats the output of Node.js from now on
import './process/json-lines.js';

export { CsvSummariesController } from './csv-summaries/csv-summaries.controller.js';
export { SummarizeCsvHandler } from './csv-summaries/summarize-csv.handler.js';
export {
  ColumnSummary,
  CsvSummary,
  MAXIMUM_CSV_BYTES,
  SummarizeCsv,
  type SummarizeCsvRequest,
} from './csv-summaries/summarize-csv.job.js';
export { DemoApiModule, DemoJobsModule } from './demo.module.js';
export { HealthController } from './health/health.controller.js';
export { HealthModule } from './health/health.module.js';
export { ProcessDataController } from './process-data/process-data.controller.js';
export { ProcessDataHandler } from './process-data/process-data.handler.js';
export { ProcessData, ProcessDataRequest, ProcessedData } from './process-data/process-data.job.js';
export { configuration } from './process/configuration.js';
export { demoLogger } from './process/demo-logger.js';
export { jobsFile } from './process/jobs-file.js';
export { parsePort } from './process/port.js';
export { exitInOrder, startProcess } from './process/start-process.js';
export { SleepController } from './sleep/sleep.controller.js';
export { SleepHandler } from './sleep/sleep.handler.js';
export { Sleep, SleepRequest, Slept } from './sleep/sleep.job.js';
export { OpenTelemetry } from './telemetry/open-telemetry.js';
export { TelemetryModule } from './telemetry/telemetry.module.js';
export { UnreliableController } from './unreliable/unreliable.controller.js';
export { UnreliableHandler } from './unreliable/unreliable.handler.js';
export { Unreliable, UnreliableRequest, UnreliableResult } from './unreliable/unreliable.job.js';
