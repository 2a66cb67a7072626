import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { ProcessMetrics } from './process-metrics.js';

/**
 * The parts of the OpenTelemetry SDK that the demo needs: metrics in the text format of Prometheus, and spans, which
 * are sent by OTLP when `OTEL_EXPORTER_OTLP_ENDPOINT` is set; without it they only provide trace ids for the log.
 * `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_EXPORTER_OTLP_*` have their meaning from OpenTelemetry.
 */
export class OpenTelemetry {
  readonly meterProvider: MeterProvider;
  readonly tracerProvider: BasicTracerProvider;
  readonly #reader = new PrometheusExporter({ preventServerStart: true });
  readonly #process: ProcessMetrics;
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, false, true);

  constructor(serviceName: string) {
    const own = resourceFromAttributes({ 'service.name': serviceName });
    const resource = own.merge(detectResources({ detectors: [envDetector] }));
    this.meterProvider = new MeterProvider({ resource, readers: [this.#reader] });
    this.#process = new ProcessMetrics(this.meterProvider);
    const spanProcessors = hasCollector() ? [new BatchSpanProcessor(new OTLPTraceExporter())] : [];
    this.tracerProvider = new BasicTracerProvider({ resource, spanProcessors });
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  }

  /** In Prometheus's text format 0.0.4. */
  async metrics(): Promise<string> {
    const { resourceMetrics } = await this.#reader.collect();
    return this.#serializer.serialize(resourceMetrics);
  }

  /** Sends the remaining data. */
  async onApplicationShutdown(): Promise<void> {
    this.#process.stop();
    await Promise.allSettled([this.tracerProvider.shutdown(), this.meterProvider.shutdown()]);
  }
}

function hasCollector(): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = process.env;
  return Boolean(all || traces);
}
