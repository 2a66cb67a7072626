import { type DynamicModule, Module } from '@nestjs/common';
import type { Role } from 'nestjs-async-endpoints';
import { AsyncEndpointsTelemetryModule } from 'nestjs-async-endpoints/telemetry';
import { MetricsController } from './metrics.controller.js';
import { OpenTelemetry } from './open-telemetry.js';

/** Metrics at `/metrics`, and traces: for every process. */
@Module({ controllers: [MetricsController] })
export class TelemetryModule {
  static with({ role }: { role: Role }): DynamicModule {
    const telemetry = new OpenTelemetry(role === 'worker' ? 'async-endpoints-worker' : 'async-endpoints-api');
    return {
      module: TelemetryModule,
      imports: [AsyncEndpointsTelemetryModule.forRoot(telemetry)],
      providers: [{ provide: OpenTelemetry, useValue: telemetry }],
    };
  }
}
