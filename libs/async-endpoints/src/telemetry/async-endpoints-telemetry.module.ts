import { type DynamicModule, Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type MeterProvider, metrics, trace, type TracerProvider } from '@opentelemetry/api';
import { JobStore } from '../store/job-store.js';
import { JobWorker } from '../worker/job-worker.js';
import { JobMetrics } from './job-metrics.js';
import { StateMetrics } from './state-metrics.js';
import { StoreCalls } from './store-calls.js';
import { Tracing } from './tracing.js';

/** Of meter and tracer. */
const SCOPE = 'nestjs-async-endpoints';
const TELEMETRY_OPTIONS = Symbol.for('nestjs-async-endpoints:telemetry');

export interface AsyncEndpointsTelemetryOptions {
  /** Default: the one registered with `@opentelemetry/api` when the module is initialized. `null` for no metrics. */
  meterProvider?: MeterProvider | null;
  /** Default: the one registered with `@opentelemetry/api` when the module is initialized. `null` for no tracing. */
  tracerProvider?: TracerProvider | null;
}

/** Metrics and traces of every job, through the OpenTelemetry API. Import it beside `AsyncEndpointsModule`. */
@Module({ providers: [{ provide: TELEMETRY_OPTIONS, useValue: {} }] })
export class AsyncEndpointsTelemetryModule implements OnModuleInit, OnApplicationShutdown {
  #parts: { open(): void; close(): void }[] = [];

  constructor(
    @Inject(TELEMETRY_OPTIONS) private readonly options: AsyncEndpointsTelemetryOptions,
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(JobWorker) private readonly worker: JobWorker,
  ) {}

  static forRoot(options: AsyncEndpointsTelemetryOptions = {}): DynamicModule {
    return {
      module: AsyncEndpointsTelemetryModule,
      providers: [{ provide: TELEMETRY_OPTIONS, useValue: options }],
    };
  }

  onModuleInit(): void {
    const { meterProvider = metrics.getMeterProvider(), tracerProvider = trace.getTracerProvider() } = this.options;
    // Timed first and stopped last: what the others ask the store counts too.
    if (meterProvider) {
      const meter = meterProvider.getMeter(SCOPE);
      this.#parts.push(new StoreCalls(meter, this.store));
      this.#parts.push(new StateMetrics(meter, this.store, this.worker));
      this.#parts.push(new JobMetrics(meter, this.store));
    }
    if (tracerProvider) this.#parts.push(new Tracing(tracerProvider.getTracer(SCOPE), this.store));
    for (const part of this.#parts) part.open();
  }

  onApplicationShutdown(): void {
    for (const part of this.#parts.toReversed()) part.close();
  }
}
