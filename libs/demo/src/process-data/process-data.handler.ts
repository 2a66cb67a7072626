import { AsyncHandler, type JobHandler } from 'nestjs-async-endpoints';
import { ProcessData, type ProcessDataRequest, type ProcessedData } from './process-data.job.js';

@AsyncHandler(ProcessData)
export class ProcessDataHandler implements JobHandler<typeof ProcessData> {
  handle({ data }: ProcessDataRequest): ProcessedData {
    return {
      processedData: `Processed: ${data.toUpperCase()}`,
      processedAt: new Date().toISOString(),
      characterCount: Array.from(data).length,
    };
  }
}
