import { Body, Controller, Injectable, Module, Post } from '@nestjs/common';
import {
  AsyncEndpoint,
  AsyncEndpointsModule,
  AsyncHandler,
  defineJob,
  type JobContext,
  type JobHandler,
} from 'nestjs-async-endpoints';

export class DataRequest {
  data!: string;
}

export interface ProcessResult {
  processedData: string;
}

@Injectable()
export class TextService {
  async process(request: DataRequest, signal: AbortSignal): Promise<ProcessResult> {
    signal.throwIfAborted();
    return { processedData: `Processed: ${request.data.toUpperCase()}` };
  }
}

// 1. Name the job, once, for everybody who deals with it.
export const ProcessData = defineJob<DataRequest, ProcessResult>('ProcessData', { maxRetries: 5, timeoutMs: 60_000 });

// 2. Write its handler: a provider like any other, constructor injection and all.
@AsyncHandler(ProcessData)
export class ProcessDataHandler implements JobHandler<typeof ProcessData> {
  constructor(private readonly text: TextService) {}

  async handle(request: DataRequest, context: JobContext): Promise<ProcessResult> {
    await context.progress(0.5, 'half way');
    return this.text.process(request, context.signal);
  }
}

// 3. Mark the controller method. What it returns is what is queued; what it throws refuses.
@Controller('api')
export class DataController {
  @Post('process-data')
  @AsyncEndpoint(ProcessData)
  processData(@Body() request: DataRequest) {
    return request;
  }
}

// 4. Import the module. No store given: jobs live in memory.
@Module({
  imports: [AsyncEndpointsModule.forRoot({ worker: { maximumConcurrency: 8 } })],
  controllers: [DataController],
  providers: [ProcessDataHandler, TextService],
})
export class AppModule {}
