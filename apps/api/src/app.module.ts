import { DemoApiModule, DemoJobsModule } from '@app/demo';
import { Module } from '@nestjs/common';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';

/** API and worker in one process, on the memory store: nothing else is needed to try it. */
@Module({
  imports: [
    // More than processors, because the demo's jobs mostly wait.
    AsyncEndpointsModule.forRoot({ worker: { maximumConcurrency: 16 } }),
    DemoJobsModule,
    DemoApiModule,
  ],
})
export class AppModule {}
