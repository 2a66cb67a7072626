import { type INestApplicationContext, type LoggerService, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { type DataPoint, MeterProvider, type MetricData } from '@opentelemetry/sdk-metrics';
import {
  AsyncEndpointsModule,
  type AsyncEndpointsExtras,
  type AsyncEndpointsOptions,
  JobManager,
} from 'nestjs-async-endpoints';
import { AsyncEndpointsHealthModule } from 'nestjs-async-endpoints/health';
import { AsyncEndpointsTelemetryModule } from 'nestjs-async-endpoints/telemetry';
import { ScriptedHandler } from 'nestjs-async-endpoints/testing';

/** An application without HTTP whose metrics and health a test can read; closed when the test ends. */
export class ObservedApp {
  readonly #reader: PrometheusExporter;

  private constructor(
    readonly app: INestApplicationContext,
    reader: PrometheusExporter,
  ) {
    this.#reader = reader;
  }

  static async start(
    options: AsyncEndpointsOptions & AsyncEndpointsExtras,
    logger: LoggerService | false = false,
  ): Promise<ObservedApp> {
    const reader = new PrometheusExporter({ preventServerStart: true });
    const meterProvider = new MeterProvider({ readers: [reader] });
    @Module({
      imports: [
        AsyncEndpointsModule.forRoot(options),
        AsyncEndpointsHealthModule,
        AsyncEndpointsTelemetryModule.forRoot({ meterProvider, tracerProvider: null }),
      ],
      providers: [ScriptedHandler],
    })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger });
    onTestFinished(() => app.close());
    return new ObservedApp(app, reader);
  }

  get jobs(): JobManager {
    return this.app.get(JobManager);
  }

  get handler(): ScriptedHandler {
    return this.app.get(ScriptedHandler, { strict: false });
  }

  /** What one scrape reads. */
  async metrics(): Promise<MetricData[]> {
    const { resourceMetrics } = await this.#reader.collect();
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
  }

  /** Each value of a metric by its attributes; of a histogram, how many it has counted. */
  async values(name: string): Promise<Record<string, number>> {
    const metric = (await this.metrics()).find(({ descriptor }) => descriptor.name === name);
    const points = (metric?.dataPoints ?? []) as DataPoint<number | { count: number }>[];
    return Object.fromEntries(
      points.map(({ attributes, value }) => [
        Object.values(attributes).join(' '),
        typeof value === 'number' ? value : value.count,
      ]),
    );
  }
}
