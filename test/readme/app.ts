import { Body, Controller, Module, Post } from '@nestjs/common';
import { AsyncEndpoint, AsyncEndpointsModule, AsyncHandler, defineJob, type JobContext } from 'nestjs-async-endpoints';

class DataRequest {
  data!: string;
}

// The name and types of the job, defined once for all its users.
const ProcessData = defineJob<DataRequest, { processedData: string }>('ProcessData', { maxRetries: 5 });

@AsyncHandler(ProcessData) // a provider like any other: constructor injection, any scope
class ProcessDataHandler {
  async handle({ data }: DataRequest, context: JobContext) {
    await context.progress(0.5, 'half way');
    return { processedData: `Processed: ${data.toUpperCase()}` };
  }
}

@Controller('api')
class DataController {
  @Post('process-data')
  @AsyncEndpoint(ProcessData) // what the method returns is queued; an exception refuses the request
  processData(@Body() request: DataRequest) {
    return request;
  }
}

@Module({
  imports: [AsyncEndpointsModule.forRoot()], // no store given: jobs live in memory
  controllers: [DataController],
  providers: [ProcessDataHandler],
})
export class AppModule {}
