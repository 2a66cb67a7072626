import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { totalmem } from 'node:os';
import type { BatchObservableResult, MeterProvider } from '@opentelemetry/api';

const RESOLUTION_MS = 10;
const NANOSECONDS = 1e9;

/**
 * The delay of the event loop since the last read, and memory: of this process, with the names that OpenTelemetry's conventions
 * give them. The limit is that of the container, or else of the machine.
 */
export class ProcessMetrics {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor(provider: MeterProvider) {
    const meter = provider.getMeter('process');
    const seconds = { unit: 's' };
    const bytes = { unit: 'By' };
    const gauges = {
      delayP99: meter.createObservableGauge('nodejs.eventloop.delay.p99', seconds),
      delayMax: meter.createObservableGauge('nodejs.eventloop.delay.max', seconds),
      memoryUsage: meter.createObservableGauge('process.memory.usage', bytes),
      memoryLimit: meter.createObservableGauge('process.memory.limit', bytes),
    };
    const limit = memoryLimit();
    meter.addBatchObservableCallback((observer: BatchObservableResult) => {
      observer.observe(gauges.delayP99, this.#lateBy(this.#delay.percentile(99)));
      observer.observe(gauges.delayMax, this.#lateBy(this.#delay.max));
      observer.observe(gauges.memoryUsage, process.memoryUsage.rss());
      observer.observe(gauges.memoryLimit, limit);
      this.#delay.reset();
    }, Object.values(gauges));
    this.#delay.enable();
  }

  stop(): void {
    this.#delay.disable();
  }

  /** The histogram holds whole intervals, the time that the loop was meant to sleep included. */
  #lateBy(nanoseconds: number): number {
    return Math.max(nanoseconds / NANOSECONDS - RESOLUTION_MS / 1_000, 0);
  }
}

/** Without a limit, Node.js returns 0 or more than the memory of the machine. */
function memoryLimit(): number {
  return Math.min(process.constrainedMemory() || Infinity, totalmem());
}
