import { DemoApiModule, DemoJobsModule, jobProcessing, type Settings } from '@app/demo';
import { type DynamicModule, Module } from '@nestjs/common';

/** Takes requests; where the settings say so, it does the jobs too, in the same process. */
@Module({ imports: [DemoApiModule] })
export class AppModule {
  static with(settings: Settings): DynamicModule {
    const jobs = settings.role === 'all' ? [DemoJobsModule] : [];
    return { module: AppModule, imports: [jobProcessing(settings), ...jobs] };
  }
}
