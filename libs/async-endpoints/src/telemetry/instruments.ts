import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api';
import { type Metric, type MetricName, METRICS } from './catalogue.js';

type OfKind<K> = { [N in MetricName]: (typeof METRICS)[N]['kind'] extends K ? N : never }[MetricName];

export type CounterName = OfKind<'counter'>;
type HistogramName = OfKind<'histogram'>;
export type GaugeName = OfKind<'gauge'>;

/** The counters and histograms of the catalogue, each created on first use. */
export class Instruments {
  readonly #counters = new Map<CounterName, Counter>();
  readonly #histograms = new Map<HistogramName, Histogram>();

  constructor(private readonly meter: Meter) {}

  readonly count = (name: CounterName, attributes: Attributes, by = 1): void => {
    let instrument = this.#counters.get(name);
    if (!instrument) this.#counters.set(name, (instrument = this.meter.createCounter(name, optionsOf(name))));
    instrument.add(by, attributes);
  };

  readonly record = (name: HistogramName, seconds: number, attributes: Attributes): void => {
    let instrument = this.#histograms.get(name);
    if (!instrument) this.#histograms.set(name, (instrument = this.meter.createHistogram(name, optionsOf(name))));
    instrument.record(seconds, attributes);
  };
}

export function optionsOf(name: MetricName) {
  const { unit, description, advice }: Metric = METRICS[name];
  return { unit, description, ...(advice && { advice }) };
}
