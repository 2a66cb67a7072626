import { Body, Controller, Post } from '@nestjs/common';
import { AsyncEndpoint, AsyncHandler, defineJob, type JobContext } from 'nestjs-async-endpoints';

export class DataRequest {
  data!: string;
}

export const ProcessData = defineJob<DataRequest, { processedData: string }>('ProcessData');

@AsyncHandler(ProcessData)
export class ProcessDataHandler {
  async handle({ data }: DataRequest, context: JobContext) {
    await context.progress(0.5);
    return { processedData: `Processed: ${data.toUpperCase()}` };
  }
}

@Controller('process-data')
export class ProcessDataController {
  @Post()
  @AsyncEndpoint(ProcessData)
  processData(@Body() request: DataRequest) {
    return request;
  }
}
