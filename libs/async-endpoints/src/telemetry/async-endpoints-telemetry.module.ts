import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { type MeterProvider, metrics, trace, type TracerProvider } from '@opentelemetry/api';
import { JobPolicies } from '../options/policies.js';
import { JobStore } from '../store/job-store.js';
import { JobWorker } from '../worker/job-worker.js';
import { JobMetrics } from './job-metrics.js';
import { StateMetrics } from './state-metrics.js';
import { StoreCalls } from './store-calls.js';
import { Tracing } from './tracing.js';

/** The instrumentation scope of meter and tracer. */
const SCOPE = 'nestjs-async-endpoints';
const TELEMETRY_OPTIONS = Symbol.for('nestjs-async-endpoints:telemetry');

export interface AsyncEndpointsTelemetryOptions {
  /** Default: the one registered with `@opentelemetry/api` when the module is initialized. `null` for no metrics. */
  meterProvider?: MeterProvider | null | undefined;
  /** Default: the one registered with `@opentelemetry/api` when the module is initialized. `null` for no tracing. */
  tracerProvider?: TracerProvider | null | undefined;
}

/** Metrics and traces of every job, through the OpenTelemetry API. Import it in addition to `AsyncEndpointsModule`. */
@Module({ providers: [{ provide: TELEMETRY_OPTIONS, useValue: {} }] })
export class AsyncEndpointsTelemetryModule implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  #metrics: JobMetrics | undefined;
  #parts: { open(): void; close(): void }[] = [];

  constructor(
    @Inject(TELEMETRY_OPTIONS) private readonly options: AsyncEndpointsTelemetryOptions,
    @Inject(JobStore) private readonly store: JobStore,
    @Inject(JobWorker) private readonly worker: JobWorker,
    @Inject(JobPolicies) private readonly policies: JobPolicies,
  ) {}

  static forRoot(options: AsyncEndpointsTelemetryOptions = {}): DynamicModule {
    return {
      module: AsyncEndpointsTelemetryModule,
      providers: [{ provide: TELEMETRY_OPTIONS, useValue: options }],
    };
  }

  onModuleInit(): void {
    const { meterProvider = metrics.getMeterProvider(), tracerProvider = trace.getTracerProvider() } = this.options;
    // Started first and stopped last, so that it measures the calls of the others too.
    if (meterProvider) {
      const meter = meterProvider.getMeter(SCOPE);
      this.#parts.push(new StoreCalls(meter, this.store));
      this.#parts.push(new StateMetrics(meter, this.store, this.worker, this.policies));
      this.#metrics = new JobMetrics(meter, this.store);
      this.#parts.push(this.#metrics);
    }
    if (tracerProvider) this.#parts.push(new Tracing(tracerProvider.getTracer(SCOPE), this.store));
    for (const part of this.#parts) part.open();
  }

  /** All handlers and endpoints are known only now. */
  onApplicationBootstrap(): void {
    for (const name of this.policies.names) this.#metrics?.begin(name);
  }

  onApplicationShutdown(): void {
    for (const part of this.#parts.toReversed()) part.close();
  }
}
